import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ForeignVpp } from '../../testing/foreign-vpp.js';
import { realVppSocket, standInOnly, TABLES_AT_START, TEST_TABLE, VppHarness } from '../../testing/vpp-harness.js';
import { hasInputAcl } from './pod-interfaces.js';
import { ipv6Packet } from '../../testing/ipv6-packet.js';

const EDGE = { edgeBlocks: ['fc00::/16'] };
const NONE = 0xffffffff;
const NEXT_HEADER = Uint8Array.from({ length: 16 }, (_, at) => (at === 6 ? 0xff : 0));
const UDP = Uint8Array.from({ length: 16 }, (_, at) => (at === 6 ? 17 : 0));
const POD_VRF = 7_779;

describe(`the filter for routing headers on VPP (${realVppSocket === undefined ? 'stand-in' : 'real'})`, () => {
  let harness: VppHarness;
  let pod: string;
  let uplink: string;

  beforeEach(async () => {
    harness = await VppHarness.create(EDGE);
    pod = await harness.addLoopback(78, TEST_TABLE);
    uplink = await harness.addLoopback(79, 0);
  });
  afterEach(() => harness.close());

  /** Classifier table that packets of the interface are held against, by index, or null. */
  const filterOf = (name: string): Promise<number | null> =>
    harness.using(async (vpp) => {
      const all = await vpp.dump('sw_interface_dump', { name_filter_valid: false, name_filter: '' });
      const index = all.find(({ interface_name: each }) => each === name)?.sw_if_index ?? NONE;
      const { reply } = await vpp.call('cli_inband', { cmd: `show interface features ${name}` });
      const { ip6_table_id: table } = await vpp.call('classify_table_by_interface', { sw_if_index: index });
      return hasInputAcl(reply, 'ipv6') && table !== NONE ? table : null;
    });
  const tables = (): Promise<readonly number[]> =>
    harness.using(async (vpp) => (await vpp.call('classify_table_ids', {})).ids);
  const foreign = <T>(work: (vpp: ForeignVpp) => Promise<T>): Promise<T> =>
    harness.using((vpp) => work(new ForeignVpp(vpp)));

  async function laid(): Promise<number> {
    expect(await harness.open().prepare()).toEqual([]);
    return (await filterOf(pod)) ?? NONE;
  }

  it('is laid where pods are and nowhere else, and nothing is written the second time', async () => {
    const dataPlane = harness.open();
    expect(await dataPlane.prepare()).toEqual([]);
    expect(await filterOf(pod)).toEqual(expect.any(Number));
    expect(await filterOf(uplink)).toBeNull();
    expect(await tables()).toHaveLength(2);
    const writes = harness.writes();
    await dataPlane.prepare();
    await harness.open().prepare();
    expect(harness.writes()).toBe(writes);
  });

  it('follows interfaces that come, and leaves those that are moved to another table', async () => {
    const filter = await laid();
    await harness.setIpv6Table(pod, 0);
    const another = await harness.addLoopback(80, TEST_TABLE);
    await laid();
    expect([await filterOf(pod), await filterOf(another)]).toEqual([null, filter]);
  });

  it('is laid on an interface that takes the number of one that is gone, and shows its filter', async () => {
    const filter = await laid();
    await harness.removeLoopback(uplink);
    await harness.removeLoopback(pod);
    pod = await harness.addLoopback(81, TEST_TABLE);
    expect(await filterOf(pod)).toBeNull();
    expect(await laid()).toBe(filter);
  });

  it('is laid on interfaces whose own table goes on to that of pods, as beside Calico-VPP', async () => {
    await foreign((vpp) => vpp.setTable(POD_VRF, true));
    await harness.setIpv6Table(pod, POD_VRF);
    expect(await laid()).toBe(NONE);
    await foreign((vpp) => vpp.route(POD_VRF, '::/0', { table: TEST_TABLE }));
    expect(await laid()).not.toBe(NONE);
    await harness.removeLoopback(pod);
    await foreign(async (vpp) => {
      await vpp.route(POD_VRF, '::/0', 'nowhere');
      await vpp.setTable(POD_VRF, false);
    });
  });

  it('is gone once dismantled, or when a start finds no blocks', async () => {
    await laid();
    await harness.open().dismantle();
    expect([await filterOf(pod), await tables()]).toEqual([null, []]);
    const writes = harness.writes();
    await harness.open().dismantle();
    expect(harness.writes()).toBe(writes);

    await laid();
    await harness.open({ edgeBlocks: [] }).prepare();
    expect([await filterOf(pod), await tables()]).toEqual([null, []]);
  });

  it('goes over to the table of other settings', async () => {
    await laid();
    expect(await harness.open({ table: 7_778 }).prepare().catch(String)).toContain('VPP has no ipv4 table 7778');
    await foreign((vpp) => vpp.setTable(7_778, true));
    await harness.setIpv6Table(uplink, 7_778);
    const other = harness.open({ table: 7_778 });
    expect(await other.prepare()).toEqual([]);
    expect([await filterOf(pod), await filterOf(uplink)]).toEqual([null, expect.any(Number)]);
    await other.dismantle();
    await harness.setIpv6Table(uplink, 0);
    await foreign((vpp) => vpp.setTable(7_778, false));
  });

  it("says so where someone else's input ACL is, leaves it, and is laid once that is off", async () => {
    const theirs = await foreign((vpp) => vpp.addClassifier(NEXT_HEADER, [UDP]));
    await foreign((vpp) => vpp.setInputAcl(pod, theirs, true));
    const [complaint, ...others] = await harness.open().prepare();
    expect(others).toEqual([]);
    expect(complaint).toBe(
      `pods may send routing headers through ${pod}: another input ACL is there; ` +
        `take it off: set interface input acl intfc ${pod} ip6-table ${theirs} del`,
    );
    expect(await filterOf(pod)).toBe(theirs);
    await harness.open().dismantle();
    expect(await filterOf(pod)).toBe(theirs);
    await foreign((vpp) => vpp.setInputAcl(pod, theirs, false));
    expect(await laid()).not.toBe(theirs);
    await foreign((vpp) => vpp.removeClassifier(theirs));
  });

  it('is not taken from under a table of someone else, which VPP would not survive', async () => {
    const filter = await laid();
    const theirs = await foreign((vpp) => vpp.addClassifier(NEXT_HEADER, [UDP], { next: filter }));
    const withdrawal = harness.open().dismantle();
    await expect(withdrawal).rejects.toThrow(
      `classifier table ${theirs} leads to table ${filter}, which should go, and VPP would crash`,
    );
    expect(await filterOf(pod)).toBeNull();
    await foreign((vpp) => vpp.removeClassifier(theirs));
    await harness.open().dismantle();
    expect(await tables()).toEqual([]);
  });

  const INTRUSIONS: readonly {
    readonly what: string;
    readonly intrude: (vpp: ForeignVpp, filter: number) => Promise<unknown>;
  }[] = [
    { what: 'takes it off an interface', intrude: (vpp, filter) => vpp.setInputAcl(pod, filter, false) },
    {
      what: 'puts it on an interface of the underlay',
      intrude: (vpp, filter) => vpp.setInputAcl(uplink, filter, true),
    },
    { what: 'removes a session', intrude: (vpp, filter) => vpp.setSession(filter, header(43), false) },
    {
      what: 'has a session let packets go on',
      intrude: (vpp, filter) => vpp.setSession(filter, header(43), true, 0xffff),
    },
    { what: 'adds a session', intrude: (vpp, filter) => vpp.setSession(filter, UDP, true) },
    { what: 'takes the second table out of the chain', intrude: (vpp, filter) => vpp.link(filter, NEXT_HEADER, NONE) },
  ];

  it.each(INTRUSIONS)('is as it should be again after someone $what', async ({ intrude }) => {
    const filter = await laid();
    const before = await contents();
    await foreign((vpp) => intrude(vpp, filter));
    expect([await contents(), await filterOf(pod), await filterOf(uplink)]).not.toEqual([before, filter, null]);
    await laid();
    expect([await contents(), await filterOf(pod), await filterOf(uplink)]).toEqual([before, filter, null]);
  });

  /** Tables with what they lead to, and their sessions in any order. */
  function contents(): Promise<unknown> {
    return harness.using(async (vpp) => {
      const { ids } = await vpp.call('classify_table_ids', {});
      return Promise.all(
        ids.map(async (table_id) => {
          const { next_table_index: next } = await vpp.call('classify_table_info', { table_id });
          const sessions = await vpp.dump('classify_session_dump', { table_id });
          return [table_id, next, sessions.map((one) => `${one.hit_next_index} ${one.match.join()}`).sort()];
        }),
      );
    });
  }
});

describe.skipIf(standInOnly !== undefined)(
  `the filter for routing headers${standInOnly ? ` (${standInOnly})` : ''}`,
  () => {
    const REQUESTS = ['classify_add_del_table', 'classify_add_del_session', 'input_acl_set_interface'];
    const losses = REQUESTS.flatMap((request) =>
      [1, 2].flatMap((nth) => (['dropRequest', 'dropReply'] as const).map((fault) => ({ request, nth, fault }))),
    );

    it.each(losses)('is whole in the next round after the loss of $request $nth by $fault', async (loss) => {
      const harness = await VppHarness.onStandIn(EDGE, {}, 250);
      for (const instance of [78, 79]) await harness.addLoopback(instance, TEST_TABLE);
      const { request, nth, fault } = loss;
      harness.standIn.faults[fault]({ request, nth });
      const dataPlane = harness.open();
      await expect(dataPlane.prepare()).rejects.toThrow(`no reply to ${request}`);
      await expect.poll(() => dataPlane.prepare().catch(String)).toEqual([]);
      for (const name of ['loop78', 'loop79']) {
        expect(harness.standIn.inputVerdict(name, ipv6Packet([43]))).toBe('drop');
        expect(harness.standIn.inputVerdict(name, ipv6Packet([60, 43]))).toBe('drop');
      }
      // A table whose answer was lost is found by its mark, not made again.
      const made = harness.standIn.log.filter(({ name, executed }) => name === 'classify_add_del_table' && executed);
      expect(made).toHaveLength(2);
      await harness.close();
    });

    it('is complete before the first packet meets it, also in a VPP that has just started', async () => {
      const interfaces = [{ name: 'tap1', mac: '02:fe:00:00:00:01', ipv6Table: TEST_TABLE }];
      const harness = await VppHarness.onStandIn(EDGE, { interfaces, tables: TABLES_AT_START });
      const dataPlane = harness.open();
      for (const life of [1, 2]) {
        // What is prepared while the connection of the last life breaks fails.
        await expect.poll(() => dataPlane.prepare().catch(String)).toEqual([]);
        const requests = harness.standIn.log.filter((request) => request.life === life).map(({ name }) => name);
        expect(requests.lastIndexOf('classify_add_del_session')).toBeLessThan(
          requests.indexOf('input_acl_set_interface'),
        );
        expect(harness.standIn.inputVerdict('tap1', ipv6Packet([43]))).toBe('drop');
        if (life === 1) await harness.standIn.restart();
      }
      await harness.close();
    });

    it('drops whatever shows a routing header or could hide one, and nothing else', async () => {
      const interfaces = [
        { name: 'tap1', mac: '02:fe:00:00:00:01', ipv6Table: TEST_TABLE },
        { name: 'tun2', ipv6Table: TEST_TABLE },
      ];
      const harness = await VppHarness.onStandIn(EDGE, { interfaces });
      await harness.open().prepare();
      const extension = fc.constantFrom(0, 43, 44, 51, 60, 135, 139, 140);
      const upper = fc.constantFrom(6, 17, 41, 50, 58, 59, 132);
      const headers = fc.tuple(fc.array(extension, { maxLength: 4 }), upper);
      fc.assert(
        fc.property(headers, fc.constantFrom('tap1', 'tun2'), fc.nat(7), ([extensions, last], name, units) => {
          const verdict = harness.standIn.inputVerdict(name, ipv6Packet([...extensions, last], units));
          expect(verdict).toBe(extensions.includes(43) || extensions.length > 1 ? 'drop' : 'accept');
        }),
        { numRuns: 500, endOnFailure: true },
      );
      await harness.close();
    });
  },
);

/** A match of the first table. */
function header(next: number): Uint8Array {
  return UDP.map((byte, at) => (at === 6 ? next : byte));
}
