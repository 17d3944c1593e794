import { VppConnection } from '@waymark/vpp-api';
import { VppStandIn, type InterfaceSpec } from '@waymark/vpp-stand-in';
import { describe, expect, it } from 'vitest';
import { headroomMsd, parseInterfaceCounters, readInterfaces } from './interfaces.js';

async function msdWith(interfaces: readonly InterfaceSpec[]): Promise<number> {
  await using standIn = new VppStandIn({ interfaces });
  await standIn.start();
  const vpp = await VppConnection.open({ socketPath: standIn.socketPath });
  try {
    return headroomMsd(await readInterfaces(vpp));
  } finally {
    vpp.close();
  }
}

const ETHERNET: InterfaceSpec = { name: 'eth0', mac: '02:fe:00:00:00:01' };
const TUN: InterfaceSpec = { name: 'tun0', deviceType: 'TUN' };
const VLAN: InterfaceSpec = { name: 'eth0.100', mac: '02:fe:00:00:00:01', parent: 1, vlan: 100 };

describe('the MSD that the headroom of a buffer leaves', () => {
  it.each([
    { what: 'nothing but local0', interfaces: [], msd: 5 },
    { what: 'Ethernet', interfaces: [ETHERNET], msd: 5 },
    { what: 'Ethernet and tun', interfaces: [ETHERNET, TUN], msd: 4 },
    { what: 'Ethernet with a VLAN', interfaces: [ETHERNET, VLAN], msd: 4 },
    { what: 'Ethernet, VLAN and tun', interfaces: [ETHERNET, VLAN, TUN], msd: 3 },
    { what: 'a tun that is down', interfaces: [ETHERNET, { ...TUN, isUp: false }], msd: 5 },
  ])('is $msd with $what', async ({ interfaces, msd }) => {
    expect(await msdWith(interfaces)).toBe(msd);
  });
});

describe('the text of `show interface`', () => {
  it('gives each interface its counters, and 0 for those it leaves out', () => {
    const text = [
      '              Name               Idx    State  MTU (L3/IP4/IP6/MPLS)     Counter          Count     ',
      'GigabitEthernet0/8/0              1      up          9000/0/0/0     rx packets                   120',
      '                                                                    rx bytes                   15360',
      '                                                                    tx packets                     7',
      '                                                                    drops                          3',
      '                                                                    ip6                          117',
      'local0                            0     down          0/0/0/0       ',
      '',
    ].join('\n');
    expect(parseInterfaceCounters(text)).toEqual([
      { name: 'GigabitEthernet0/8/0', up: true, rxPackets: 120, rxBytes: 15_360, txPackets: 7, txBytes: 0, drops: 3 },
      { name: 'local0', up: false, rxPackets: 0, rxBytes: 0, txPackets: 0, txBytes: 0, drops: 0 },
    ]);
  });

  it('is no counters when it is something else', () => {
    expect(parseInterfaceCounters('show interface\n')).toEqual([]);
  });
});
