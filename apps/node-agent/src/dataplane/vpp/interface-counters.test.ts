import { VppConnection } from '@waymark/vpp-api';
import { VppStandIn } from '@waymark/vpp-stand-in';
import { expect, test } from 'vitest';
import { parseInterfaceCounters, readInterfaceCounters } from './interfaces.js';

const NONE = { rxBytes: 0, rxPackets: 0, txBytes: 0, txPackets: 0, drops: 0 };

test('interface counters are those of the CLI', async () => {
  await using standIn = new VppStandIn({ interfaces: [{ name: 'eth0' }, { name: 'tun0', isUp: false }] });
  await standIn.start();
  standIn.setInterfaceCounters('eth0', { rxPackets: 3, rxBytes: 180, drops: 1, ip4: 3 });
  standIn.setInterfaceCounters('tun0', { txPackets: 2, txBytes: 120 });
  const vpp = await VppConnection.open({ socketPath: standIn.socketPath });
  try {
    expect(await readInterfaceCounters(vpp)).toEqual([
      { ...NONE, name: 'eth0', up: true, rxPackets: 3, rxBytes: 180, drops: 1 },
      { ...NONE, name: 'local0', up: false },
      { ...NONE, name: 'tun0', up: false, txPackets: 2, txBytes: 120 },
    ]);
  } finally {
    vpp.close();
  }
});

test('an interface in any state of VPP has its own counters, not those of the one above', () => {
  const text = [
    'eth0                              1      up          9000/0/0/0     rx packets                     1',
    'eth1                              2   down/punt      9000/0/0/0     rx packets                     2',
    'eth2                              3    up/punt       9000/0/0/0     rx packets                     3',
    'eth3                              4     error        9000/0/0/0     rx packets                     4',
  ].join('\n');
  expect(parseInterfaceCounters(text).map(({ name, up, rxPackets }) => [name, up, rxPackets])).toEqual([
    ['eth0', true, 1],
    ['eth1', false, 2],
    ['eth2', true, 3],
    ['eth3', false, 4],
  ]);
});
