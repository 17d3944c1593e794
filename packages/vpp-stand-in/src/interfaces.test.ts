import { expect, test } from 'vitest';
import { connected, lay } from './testing/raw-client.js';
import type { RawClient } from './testing/raw-client.js';

const interfaces = [
  { name: 'GigabitEthernet0/8/0', mac: '02:fe:00:00:00:01', tag: 'uplink' },
  { name: 'GigabitEthernet0/8/0.7', parent: 1, vlan: 7, isUp: false },
  { name: 'tun0', deviceType: 'TUN', mtu: 1500 },
];

const nameOf = (details: Buffer): string => details.toString('latin1', 103, 167).replaceAll('\0', '');
const dump = (client: RawClient, swIfIndex: string, filter = ''): Promise<readonly Buffer[]> =>
  client.dump(
    'sw_interface_dump_aa610c27',
    19 + filter.length,
    [10, swIfIndex],
    [14, filter === '' ? '00' : '01'],
    [15, filter.length.toString(16).padStart(8, '0')],
    [19, Buffer.from(filter).toString('hex')],
  );

test('interface details are laid out as in interface.api', async () => {
  const { client } = await connected({ interfaces });
  const text = (value: string): string => Buffer.from(value).toString('hex');
  const head: [number, string][] = [
    [0, client.id('sw_interface_details_6c221fc7')],
    [2, '01020304'],
  ];
  const [, ethernet, vlan, tun] = await dump(client, 'ffffffff');
  expect(ethernet?.toString('hex')).toBe(
    lay(
      295,
      ...head,
      [6, '00000001'],
      [10, '00000001'],
      [14, '02fe00000001'],
      [20, '00000003'],
      [28, '00000002'],
      [32, '00989680'],
      [36, '2328'],
      [38, '00002328'],
      [103, text('GigabitEthernet0/8/0')],
      [167, text('dpdk')],
      [231, text('uplink')],
    ).toString('hex'),
  );
  expect(vlan?.toString('hex')).toBe(
    lay(
      295,
      ...head,
      [6, '00000002'],
      [10, '00000001'],
      [24, '00000001'],
      [28, '00000002'],
      [32, '00989680'],
      [36, '2328'],
      [38, '00002328'],
      [54, '00000007'],
      [58, '01'],
      [59, '0007'],
      [63, '00000012'],
      [103, text('GigabitEthernet0/8/0.7')],
      [167, text('dpdk')],
    ).toString('hex'),
  );
  expect(tun?.toString('hex', 167, 170)).toBe(text('TUN'));
});

test('one interface, or those whose name contains a text; 0 means all', async () => {
  const { client } = await connected({ interfaces });
  const names = async (swIfIndex: string, filter = ''): Promise<string[]> =>
    (await dump(client, swIfIndex, filter)).map(nameOf);
  const all = ['local0', 'GigabitEthernet0/8/0', 'GigabitEthernet0/8/0.7', 'tun0'];
  expect(await names('ffffffff')).toEqual(all);
  expect(await names('00000000')).toEqual(all);
  expect(await names('00000003')).toEqual(['tun0']);
  expect(await names('00000009')).toEqual([]);
  expect(await names('ffffffff', 'GIGABIT')).toEqual(['GigabitEthernet0/8/0', 'GigabitEthernet0/8/0.7']);
});

test('the table of an interface is told, and an interface that is not there refused with -2', async () => {
  const { client } = await connected({ interfaces: [{ name: 'tap9', ipv6Table: 7300 }] });
  const tableOf = (swIfIndex: string, isIpv6: string): Promise<Buffer> =>
    client.call('sw_interface_get_table_2d033de4', 15, [10, swIfIndex], [14, isIpv6]);
  const id = client.id('sw_interface_get_table_reply_a6eb0109');
  expect((await tableOf('00000001', '01')).toString('hex')).toBe(`${id}010203040000000000001c84`);
  expect((await tableOf('00000001', '00')).toString('hex')).toBe(`${id}010203040000000000000000`);
  expect((await tableOf('00000009', '01')).readInt32BE(6)).toBe(-2);
});
