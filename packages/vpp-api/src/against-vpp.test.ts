import { VppStandIn } from '@waymark/vpp-stand-in';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SrPoliciesWithSlIndexDetails, SrSteeringPolDetails } from './builtin/messages.js';
import { VppClient } from './connection/vpp-client.js';
import { VppConnection } from './connection/vpp-connection.js';
import { fetchDefinitions } from './definition/load.js';

// The same tests on a real VPP, when VPP_API_SOCKET names its socket: they add and remove only what is in this block.
const BLOCK = 'fdbb:b51d:7e57';
const realSocket = process.env['VPP_API_SOCKET'];

const bsid = (number: number): string => `${BLOCK}::${number.toString(16)}`;
const NO_INDEX = 0xffffffff;

function listOf(weight: number, ...sids: string[]) {
  return { num_sids: sids.length, weight, sids };
}

describe(`the client against ${realSocket === undefined ? 'the stand-in' : 'VPP'}`, () => {
  let standIn: VppStandIn | undefined;
  let vpp: VppConnection;

  beforeAll(async () => {
    standIn = realSocket === undefined ? new VppStandIn() : undefined;
    await standIn?.start();
    vpp = await VppConnection.open({ socketPath: realSocket ?? (standIn as VppStandIn).socketPath });
  });

  afterAll(async () => {
    vpp.close();
    await standIn?.stop();
  });

  const add = (number: number, ...sids: string[]) =>
    vpp.call('sr_policy_add_v2', {
      bsid_addr: bsid(number),
      weight: 0,
      is_encap: true,
      type: 'SR_API_POLICY_TYPE_DEFAULT',
      fib_table: 0,
      sids: listOf(1, ...sids),
      encap_src: `${BLOCK}::aaaa`,
    });
  const change = (number: number, operation: string, sl_index: number, weight: number, ...sids: string[]) =>
    vpp.call('sr_policy_mod_v2', {
      bsid_addr: bsid(number),
      sr_policy_index: NO_INDEX,
      fib_table: 0,
      operation: operation as 'SR_POLICY_OP_API_ADD',
      sl_index,
      weight,
      sids: listOf(weight, ...sids),
      encap_src: `${BLOCK}::aaaa`,
    });
  const remove = (number: number) => vpp.call('sr_policy_del', { bsid_addr: bsid(number), sr_policy_index: NO_INDEX });
  const steer = (is_del: boolean, number: number, prefix: string, table_id = 0) =>
    vpp.call('sr_steering_add_del', {
      is_del,
      bsid_addr: bsid(number),
      sr_policy_index: NO_INDEX,
      table_id,
      prefix,
      sw_if_index: NO_INDEX,
      traffic_type: prefix.includes(':') ? 'SR_STEER_API_IPV6' : 'SR_STEER_API_IPV4',
    });
  const policies = async (): Promise<readonly SrPoliciesWithSlIndexDetails[]> =>
    (await vpp.dump('sr_policies_with_sl_index_dump', {})).filter((policy) => policy.bsid.startsWith(BLOCK));
  const steerings = async (): Promise<readonly SrSteeringPolDetails[]> =>
    (await vpp.dump('sr_steering_pol_dump', {})).filter((steering) => steering.bsid.startsWith(BLOCK));
  const listsOf = async (number: number) => {
    const policy = (await policies()).find((found) => found.bsid === bsid(number));
    return (policy?.sid_lists ?? []).map(({ num_sids, sids, weight }) => [weight, ...sids.slice(0, num_sids)]);
  };

  it('knows its version', async () => {
    expect((await vpp.call('show_version', {})).version).toMatch(/^\d\d\.\d\d/);
  });

  it('adds, extends, reweighs, shortens and removes an SR policy, and reads each back', async () => {
    await add(1, 'fcff:6::1', 'fcdd::4');
    expect(await listsOf(1)).toEqual([[1, 'fcff:6::1', 'fcdd::4']]);
    await change(1, 'SR_POLICY_OP_API_ADD', NO_INDEX, 3, 'fcff:7::1', 'fcff:8::1', 'fcdd::4');
    expect(await listsOf(1)).toEqual([
      [1, 'fcff:6::1', 'fcdd::4'],
      [3, 'fcff:7::1', 'fcff:8::1', 'fcdd::4'],
    ]);
    const [first, second] = (await policies())[0]?.sid_lists ?? [];
    await change(1, 'SR_POLICY_OP_API_MOD', second?.sl_index ?? NO_INDEX, 5);
    await change(1, 'SR_POLICY_OP_API_DEL', first?.sl_index ?? NO_INDEX, 0);
    expect(await listsOf(1)).toEqual([[5, 'fcff:7::1', 'fcff:8::1', 'fcdd::4']]);
    const [{ encap_src, is_encap } = { encap_src: '', is_encap: false }] = (
      await vpp.dump('sr_policies_v2_dump', {})
    ).filter((policy) => policy.bsid === bsid(1));
    expect([encap_src, is_encap]).toEqual([`${BLOCK}::aaaa`, true]);
    await remove(1);
    expect(await policies()).toEqual([]);
  });

  it('steers prefixes of both families, re-points them, and stops', async () => {
    await add(2, 'fcdd::4');
    await add(3, 'fcdd::6');
    await steer(false, 2, '10.244.77.0/26');
    await steer(false, 2, '2001:db8:77::/64');
    await steer(false, 3, '2001:db8:77::/64');
    const found = (await steerings()).map(({ prefix, traffic_type, fib_table, bsid: to }) => [
      prefix,
      traffic_type,
      fib_table,
      to,
    ]);
    expect(found.sort()).toEqual([
      ['10.244.77.0/26', 'SR_STEER_API_IPV4', 0, bsid(2)],
      ['2001:db8:77::/64', 'SR_STEER_API_IPV6', 0, bsid(3)],
    ]);
    await steer(true, 2, '10.244.77.0/26');
    await steer(true, 3, '2001:db8:77::/64');
    expect(await steerings()).toEqual([]);
    await Promise.all([remove(2), remove(3)]);
  });

  it('is told what VPP refuses, in words', async () => {
    await add(4, 'fcdd::4');
    await expect(add(4, 'fcdd::4')).rejects.toThrow('the binding SID exists already');
    await expect(remove(5)).rejects.toThrow('there is no SR policy with this binding SID');
    const [only] = (await policies())[0]?.sid_lists ?? [];
    await expect(change(4, 'SR_POLICY_OP_API_DEL', only?.sl_index ?? NO_INDEX, 0)).rejects.toThrow('cannot be deleted');
    await expect(steer(false, 5, '10.244.77.0/26')).rejects.toThrow('there is no SR policy with this binding SID');
    await expect(steer(true, 4, '10.244.77.0/26')).rejects.toThrow('there is no such steering');
    await remove(4);
  });

  it('is told what VPP refuses, although nothing but that is in the answer', async () => {
    await expect(vpp.call('classify_table_info', { table_id: 0xffff })).rejects.toMatchObject({ retval: -91 });
  });

  it('takes many requests at once, in order', async () => {
    const numbers = Array.from({ length: 500 }, (_, index) => 0x100 + index);
    await Promise.all(numbers.map((number) => add(number, 'fcff:6::1', 'fcdd::4')));
    expect(new Set((await policies()).map((policy) => policy.bsid))).toEqual(new Set(numbers.map(bsid)));
    await Promise.all(numbers.map(remove));
    expect(await policies()).toEqual([]);
  });

  it('learns messages from VPP itself', async () => {
    const definitions = await fetchDefinitions(vpp);
    vpp.define(definitions);
    await expect(vpp.call('control_ping', {})).resolves.toMatchObject({ retval: 0 });
  });
});

describe('the client when VPP misbehaves', () => {
  async function withStandIn(work: (standIn: VppStandIn, vpp: VppConnection) => Promise<void>): Promise<void> {
    await using standIn = new VppStandIn();
    await standIn.start();
    const vpp = await VppConnection.open({ socketPath: standIn.socketPath });
    await work(standIn, vpp);
    vpp.close();
  }
  const policy = (number: number, ...sids: string[]) => ({
    bsid_addr: bsid(number),
    weight: 0,
    is_encap: true,
    is_spray: false,
    fib_table: 0,
    sids: listOf(1, ...sids),
  });

  it('finds out by reading back that a request without a reply was executed', async () => {
    await withStandIn(async (standIn, vpp) => {
      standIn.faults.dropReply({ request: 'sr_policy_add' });
      const call = vpp.call('sr_policy_add', policy(1, 'fcdd::4'), { timeoutMs: 50 });
      await expect(call).rejects.toMatchObject({ name: 'VppTimeoutError' });
      expect(await vpp.dump('sr_policies_dump', {})).toHaveLength(1);
    });
  });

  it('is told that a request may have killed VPP, and connects to the next one with its new numbers', async () => {
    await using standIn = new VppStandIn();
    await standIn.start();
    const client = new VppClient({ socketPath: standIn.socketPath, minBackoffMs: 5, pingIntervalMs: 0 });
    const connections: number[] = [];
    client.onConnected(() => connections.push(standIn.life));
    client.start();
    await expect.poll(() => connections).toEqual([1]);
    const call = client.call('sr_policy_add', policy(1));
    await expect(call).rejects.toMatchObject({ name: 'VppDisconnectedError', mayHaveExecuted: true });
    expect(standIn.crashes).toMatchObject([{ reason: 'empty-segment-list' }]);
    await standIn.restart();
    await expect.poll(() => connections).toEqual([1, 2]);
    expect(await client.dump('sr_policies_dump', {})).toEqual([]);
    client.stop();
  });

  it('puts answers together that arrive byte by byte, late, or cut off', async () => {
    await withStandIn(async (standIn, vpp) => {
      standIn.faults.splitWrites = true;
      standIn.faults.replyDelayMs = 5;
      await Promise.all([1, 2, 3].map((number) => vpp.call('sr_policy_add', policy(number, 'fcdd::4'))));
      expect(await vpp.dump('sr_policies_v2_dump', {})).toHaveLength(3);
      standIn.faults.closeMidReply({ request: 'control_ping' });
      await expect(vpp.call('control_ping', {})).rejects.toMatchObject({ mayHaveExecuted: true });
    });
  });

  it('is given up when it reads nothing any more, with all that waited for it', async () => {
    await using standIn = new VppStandIn();
    await standIn.start();
    const client = new VppClient({
      socketPath: standIn.socketPath,
      timeoutMs: 300,
      pingIntervalMs: 50,
      minBackoffMs: 60_000,
    });
    client.start();
    await expect.poll(() => client.connection !== undefined).toBe(true);
    standIn.stallReading();
    const calls = Array.from({ length: 3_000 }, (_, number) =>
      client.call('sr_policy_add', policy(number + 1, 'fcdd::4')),
    );
    const results = await Promise.allSettled(calls);
    expect(results.every(({ status }) => status === 'rejected')).toBe(true);
    expect(client.connection).toBeUndefined();
    client.stop();
    standIn.resumeReading();
  });

  it('takes its leave, and lets VPP close the socket', async () => {
    await using standIn = new VppStandIn();
    await standIn.start();
    const connection = await VppConnection.open({ socketPath: standIn.socketPath });
    expect(standIn.clients).toEqual(['waymark']);
    connection.close();
    await expect(connection.call('control_ping', {})).rejects.toMatchObject({ mayHaveExecuted: false });
    await expect.poll(() => standIn.clients).toEqual([]);
    expect(standIn.log.map(({ name }) => name)).toEqual(['sockclnt_create', 'sockclnt_delete']);
  });

  it('holds back while VPP reads nothing', async () => {
    await withStandIn(async (standIn, vpp) => {
      standIn.stallReading();
      const calls = Array.from({ length: 3_000 }, (_, number) =>
        vpp.call('sr_policy_add', policy(number + 1, 'fcdd::4'), { timeoutMs: 20_000 }),
      );
      expect(vpp.inFlight).toBeLessThanOrEqual(256);
      standIn.resumeReading();
      await Promise.all(calls);
      expect(standIn.policies).toHaveLength(3_000);
    });
  });
});
