import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { classesOf, classPolicy } from '../../testing/class-sketches.js';
import { ForeignVpp } from '../../testing/foreign-vpp.js';
import { ReconciledAgent } from '../../testing/reconciled-agent.js';
import { standInOnly, TABLES_AT_START, TEST_SETTINGS, TEST_TABLE, VppHarness } from '../../testing/vpp-harness.js';
import { WatchedLink, wayThrough } from '../../testing/watched-link.js';
import { withdraw } from '../../reconcile/withdraw.js';
import type { VppSettings } from './settings.js';
import { VppDataPlane } from './vpp-data-plane.js';

const ROUTING = 43;
const POD_VRF = 7_779;
const [GOLD, SILVER] = [200, 300];
const tableOf = (color: number) => TEST_SETTINGS.classTables + color;

/** First SIDs that tell where a packet goes. */
const WAYS = { everybody: 'fc00:a::1', gold: 'fc00:b::1', silver: 'fc00:c::1' };

const DEFAULT = classPolicy(10, WAYS.everybody, ['10.2.0.0/16', 'fd02::/32'], []);
const IN_GOLD = classPolicy(GOLD, WAYS.gold, [], ['10.2.0.0/24', 'fd02::/64']);
const IN_SILVER = classPolicy(SILVER, WAYS.silver, [], ['10.2.0.0/24', 'fd02::/64']);
const BOTH = ['10.1.0.5', 'fd01::5'];
const INTERFACES = [
  { name: 'tun1', ipv4Table: TEST_TABLE, ipv6Table: TEST_TABLE },
  { name: 'tap2', mac: '02:fe:00:00:00:02', ipv4Table: TEST_TABLE, ipv6Table: TEST_TABLE },
  { name: 'uplink', mac: '02:fe:00:00:00:03' },
];

type Classes = Parameters<typeof classesOf>[0];

describe.skipIf(standInOnly !== undefined)(`service classes on VPP${standInOnly ? ` (${standInOnly})` : ''}`, () => {
  let harness: Awaited<ReturnType<typeof VppHarness.onStandIn>>;
  let agent: ReconciledAgent;

  beforeEach(() => begin());
  afterEach(async () => {
    await agent.reconciler.stop();
    const { standIn } = harness;
    await harness.close();
    expect(standIn.crashes).toEqual([]);
  });

  async function begin(settings: Partial<VppSettings> = {}, timeoutMs?: number): Promise<void> {
    const start = { tables: TABLES_AT_START, interfaces: INTERFACES };
    harness = await VppHarness.onStandIn(settings, start, timeoutMs);
    agent = new ReconciledAgent(harness.open());
  }
  async function beginAgain(settings: Partial<VppSettings>, timeoutMs?: number): Promise<void> {
    await agent.reconciler.stop();
    await harness.close();
    await begin(settings, timeoutMs);
  }

  async function want(classes: Classes, policies = [DEFAULT, IN_GOLD, IN_SILVER]): Promise<void> {
    await agent.want(...policies, ...classesOf(classes));
  }
  /** And nothing of it failed. */
  async function has(...parameters: Parameters<typeof want>): Promise<void> {
    await want(...parameters);
    expect(agent.lastReport.outcomes.filter(({ outcome }) => outcome === 'failed')).toEqual([]);
    expect(agent.reconciler.health).toMatchObject({ error: null });
  }
  const foreign = <T>(work: (vpp: ForeignVpp) => Promise<T>): Promise<T> =>
    harness.using((vpp) => work(new ForeignVpp(vpp)));

  /** The first SID of a packet that comes in, or what else becomes of it. */
  const way = (source: string, destination: string, from = 'tun1', headers?: readonly number[]): string =>
    wayThrough(harness.standIn, source, destination, from, headers);
  const classTables = (): number[] =>
    harness.standIn.tables.map(({ id }) => id).filter((id) => id > TEST_SETTINGS.classTables && id < 0xffffffff);
  const classifiers = () => harness.using(async (vpp) => (await vpp.call('classify_table_ids', {})).ids);

  it('take pods of a class by its policies, to its prefixes, and everyone else as before', async () => {
    await has({ [GOLD]: BOTH });
    for (const from of ['tun1', 'tap2']) {
      expect(way('10.1.0.5', '10.2.0.1', from)).toBe(WAYS.gold);
      expect(way('fd01::5', 'fd02::1', from)).toBe(WAYS.gold);
      expect(way('10.1.0.6', '10.2.0.1', from)).toBe(WAYS.everybody);
      expect(way('fd01::6', 'fd02::1', from)).toBe(WAYS.everybody);
    }
  });

  it('let pods of a class go like everyone where the class has no prefix, and where it has no policy', async () => {
    await has({ [GOLD]: BOTH, [SILVER]: ['10.1.0.7'] }, [DEFAULT, IN_GOLD]);
    expect(way('10.1.0.5', '10.2.9.1')).toBe(WAYS.everybody);
    expect(way('fd01::5', 'fd02:0:9::1')).toBe(WAYS.everybody);
    expect(way('10.1.0.7', '10.2.0.1')).toBe(WAYS.everybody);
    await foreign((vpp) => vpp.route(TEST_TABLE, '10.9.0.0/16', { table: 0 }));
    expect(way('10.1.0.5', '10.9.0.1')).toBe(way('10.1.0.6', '10.9.0.1'));
  });

  it('write nothing the second time, also with prefixes of a class that are everything', async () => {
    const everything = classPolicy(GOLD, WAYS.gold, [], ['0.0.0.0/0', '::/0']);
    await has({ [GOLD]: BOTH }, [DEFAULT, everything]);
    expect(way('10.1.0.5', '192.0.2.1')).toBe(WAYS.gold);
    const writes = harness.writes();
    await agent.reconciler.reconcile();
    await has({ [GOLD]: BOTH }, [DEFAULT, everything]);
    expect(harness.writes()).toBe(writes);
  });

  it('leave to more specific routes of others what these hold, as long as they do', async () => {
    await foreign(async (vpp) => {
      await vpp.routeOut(TEST_TABLE, '10.2.0.9/32', 2, '0.0.0.0');
      await vpp.routeOut(TEST_TABLE, 'fd02::9/128', 2, '::');
    });
    await has({ [GOLD]: BOTH });
    expect(way('10.1.0.5', '10.2.0.9')).toBe('0.0.0.0 interface 2');
    expect(way('fd01::5', 'fd02::9')).toBe(':: interface 2');
    await foreign((vpp) => vpp.route(TEST_TABLE, '10.2.0.9/32', 'nowhere'));
    await agent.reconciler.reconcile();
    expect(way('10.1.0.5', '10.2.0.9')).toBe(WAYS.gold);
    expect(way('fd01::5', 'fd02::9')).toBe(':: interface 2');
  });

  it('keep the edge: routing headers and SIDs are no more open to pods of a class than to others', async () => {
    await beginAgain({ edgeBlocks: ['fc00::/16'] });
    await has({ [GOLD]: BOTH }, [DEFAULT, classPolicy(GOLD, WAYS.gold, [], ['::/0'])]);
    expect(way('fd01::5', 'fd02::1')).toBe(WAYS.gold);
    expect(way('fd01::5', 'fd02::1', 'tun1', [ROUTING, 59])).toBe('input-acl');
    expect(way('fd01::5', 'fd02::1', 'tap2', [60, ROUTING, 59])).toBe('input-acl');
    expect(way('fd01::5', 'fc00:b::1')).toBe('drop-route');
    expect(way('fd01::6', 'fc00:b::1')).toBe('drop-route');
    await has({});
    expect(way('fd01::5', 'fd02::1')).toBe(WAYS.everybody);
    expect(way('fd01::5', 'fd02::1', 'tun1', [ROUTING, 59])).toBe('input-acl');
  });

  it('follow pods that change their class or leave it, and leave nothing behind', async () => {
    await has({ [GOLD]: BOTH });
    for (const color of [SILVER, GOLD, SILVER]) {
      await has({ [color]: BOTH });
      expect(way('10.1.0.5', '10.2.0.1')).toBe(color === GOLD ? WAYS.gold : WAYS.silver);
      expect(way('fd01::5', 'fd02::1')).toBe(color === GOLD ? WAYS.gold : WAYS.silver);
    }
    await has({ [SILVER]: ['10.1.0.5'] });
    expect(way('fd01::5', 'fd02::1')).toBe(WAYS.everybody);
    await has({}, [DEFAULT]);
    expect(way('10.1.0.5', '10.2.0.1')).toBe(WAYS.everybody);
    await agent.reconciler.reconcile();
    expect(classTables()).toEqual([]);
    expect(await classifiers()).toEqual([]);
  });

  it('are in one class at each moment of a change, and never go like everyone', async () => {
    const ways = new Set<string>();
    const watched = new WatchedLink(harness.standIn, () => {
      ways.add(way('10.1.0.5', '10.2.0.1'));
      ways.add(way('fd01::5', 'fd02::1'));
    });
    await has({ [GOLD]: BOTH });
    const other = new ReconciledAgent(new VppDataPlane({ ...TEST_SETTINGS, socketPath: '' }, watched));
    for (const color of [SILVER, GOLD, SILVER]) {
      await other.want(DEFAULT, IN_GOLD, IN_SILVER, ...classesOf({ [color]: BOTH }));
      expect(way('10.1.0.5', '10.2.0.1')).toBe(color === GOLD ? WAYS.gold : WAYS.silver);
    }
    expect([...ways].sort()).toEqual([WAYS.gold, WAYS.silver]);
    await other.reconciler.stop();
    watched.close();
  });

  it('come with their prefixes already there, and go before these', async () => {
    await has({ [GOLD]: BOTH });
    const names = () => harness.standIn.log.filter(({ executed }) => executed).map(({ name }) => name);
    const made = names();
    expect(made.indexOf('ip_table_add_del')).toBeLessThan(made.indexOf('sr_steering_add_del'));
    expect(made.lastIndexOf('sr_steering_add_del')).toBeLessThan(made.indexOf('classify_add_del_session'));
    expect(made.lastIndexOf('classify_add_del_session')).toBeLessThan(made.indexOf('input_acl_set_interface'));
    await has({}, [DEFAULT]);
    await agent.reconciler.reconcile();
    const undone = names().slice(made.length);
    expect(undone.lastIndexOf('classify_add_del_session')).toBeLessThan(undone.indexOf('sr_steering_add_del'));
    expect(undone.lastIndexOf('input_acl_set_interface')).toBeLessThan(undone.indexOf('classify_add_del_table'));
    expect(undone.lastIndexOf('sr_steering_add_del')).toBeLessThan(undone.indexOf('ip_table_add_del'));
  });

  it('are back at once when VPP restarts', async () => {
    await has({ [GOLD]: BOTH });
    await harness.standIn.restart();
    await expect
      .poll(async () => {
        await agent.reconciler.reconcile();
        return [way('10.1.0.5', '10.2.0.1'), way('fd01::5', 'fd02::1'), way('fd01::6', 'fd02::1')];
      })
      .toEqual([WAYS.gold, WAYS.gold, WAYS.everybody]);
  });

  it('are withdrawn whole', async () => {
    await has({ [GOLD]: BOTH, [SILVER]: ['10.1.0.7'] });
    await agent.reconciler.stop();
    await withdraw(harness.open());
    expect([classTables(), harness.standIn.steerings]).toEqual([[], []]);
    expect(await classifiers()).toEqual([]);
    const writes = harness.writes();
    await withdraw(harness.open());
    expect(harness.writes()).toBe(writes);
  });

  const INTRUSIONS: readonly { readonly what: string; readonly intrude: (vpp: ForeignVpp) => Promise<unknown> }[] = [
    {
      what: 'removes sessions',
      intrude: async (vpp) => {
        for (const id of await idsOf(vpp)) await vpp.clearClassifier(id);
      },
    },
    {
      what: 'takes input ACLs off',
      intrude: async ({ vpp }) => {
        for (const index of [1, 2]) {
          const tables = await vpp.call('classify_table_by_interface', { sw_if_index: index });
          await vpp.call('input_acl_set_interface', {
            sw_if_index: index,
            ip4_table_index: tables.ip4_table_id,
            ip6_table_index: tables.ip6_table_id,
            l2_table_index: 0xffffffff,
            is_add: false,
          });
        }
      },
    },
    {
      what: 'takes the ways out of the table of a class',
      intrude: async (vpp) => {
        await vpp.route(tableOf(GOLD), '0.0.0.0/0', 'nowhere');
        await vpp.route(tableOf(GOLD), '::/0', 'nowhere');
      },
    },
    {
      what: 'takes the steering out of it',
      intrude: async (vpp) => {
        await vpp.unsteer(tableOf(GOLD), '10.2.0.0/24');
        await vpp.unsteer(tableOf(GOLD), 'fd02::/64');
      },
    },
    { what: 'deletes it', intrude: (vpp) => vpp.setTable(tableOf(GOLD), false) },
  ];

  it.each(INTRUSIONS)('are as they should be again after someone $what', async ({ intrude }) => {
    await has({ [GOLD]: BOTH });
    await foreign(intrude);
    await agent.reconciler.reconcile();
    for (const [source, host] of [
      ['10.1.0.5', '10.2.0.1'],
      ['fd01::5', 'fd02::1'],
    ] as const) {
      expect(way(source, host)).toBe(WAYS.gold);
    }
    expect(way('10.1.0.5', '10.2.9.1')).toBe(WAYS.everybody);
    expect(agent.reconciler.health.error).toBeNull();
  });

  it("say so where someone else's input ACL is, and leave it", async () => {
    const mask = Uint8Array.from({ length: 16 }, (_, at) => (at === 9 ? 0xff : 0));
    const theirs = await foreign((vpp) => vpp.addClassifier(mask, []));
    await foreign((vpp) => vpp.setInputAcl('tun1', theirs, true, 'ipv4'));
    await want({ [GOLD]: BOTH });
    await agent.reconciler.reconcile();
    expect(agent.reconciler.health.error).toBe(
      `pods are in no service class for ipv4 through tun1: another input ACL is there; ` +
        `take it off: set interface input acl intfc tun1 ip4-table ${theirs} del`,
    );
    expect([way('10.1.0.5', '10.2.0.1'), way('fd01::5', 'fd02::1')]).toEqual([WAYS.everybody, WAYS.gold]);
    expect(way('10.1.0.5', '10.2.0.1', 'tap2')).toBe(WAYS.gold);
    await foreign((vpp) => vpp.setInputAcl('tun1', theirs, false, 'ipv4'));
    await agent.reconciler.reconcile();
    expect(way('10.1.0.5', '10.2.0.1')).toBe(WAYS.gold);
    expect(agent.reconciler.health.error).toBeNull();
    await foreign((vpp) => vpp.removeClassifier(theirs));
  });

  it('fail where a table with the id is not ours, which stays as it is, and everyone is steered', async () => {
    await foreign((vpp) => vpp.setTable(tableOf(GOLD), true));
    const before = harness.standIn.tables.filter(({ id }) => id === tableOf(GOLD));
    await want({ [GOLD]: BOTH, [SILVER]: ['10.1.0.7'] });
    for (const id of [`h1:${GOLD}:h2`, `h1:${GOLD}:h1`]) {
      expect(agent.outcome(id)).toMatchObject({ outcome: 'failed' });
      expect(agent.outcome(id)?.reason).toContain('is not ours');
    }
    expect(way('10.1.0.5', '10.2.0.1')).toBe(WAYS.everybody);
    expect(way('10.1.0.7', '10.2.0.1')).toBe(WAYS.silver);
    expect(harness.standIn.tables.filter(({ id }) => id === tableOf(GOLD))).toEqual(before);
    await foreign((vpp) => vpp.setTable(tableOf(GOLD), false));
    await agent.reconciler.reconcile();
    expect(way('10.1.0.5', '10.2.0.1')).toBe(WAYS.gold);
  });

  it('reach beyond the last table of VPP with no color', () => {
    expect(agent.dataPlane.objectionToClass(0xffff_fffe - TEST_SETTINGS.classTables)).toBeNull();
    expect(agent.dataPlane.objectionToClass(0xffff_ffff)).toContain('lower WAYMARK_VPP_CLASS_TABLES');
  });

  it('hold no more pods than VPP has room for', async () => {
    const pods = Array.from({ length: 4_100 }, (_, pod) => `10.77.${pod >> 8}.${pod & 255}`);
    await want({ [GOLD]: pods });
    expect(agent.outcome(`h1:${GOLD}:h1`)?.reason).toContain('VPP has room for 4096 pods');
    expect(way('10.77.0.1', '10.2.0.1')).toBe(WAYS.gold);
  });

  const LOSSES = [
    'ip_table_add_del',
    'ip_route_add_del',
    'classify_add_del_table',
    'classify_add_del_session',
    'input_acl_set_interface',
  ].flatMap((request) => (['dropRequest', 'dropReply'] as const).map((fault) => ({ request, fault })));

  it.each(LOSSES)('are whole some rounds after the loss of $request by $fault', async ({ request, fault }) => {
    await beginAgain({}, 1_000);
    const settled = async (look: () => unknown, what: unknown) => {
      const state = async () => {
        await agent.reconciler.reconcile();
        return look();
      };
      await expect.poll(state, { timeout: 20_000 }).toEqual(what);
    };
    harness.standIn.faults[fault]({ request, nth: 1 });
    await want({ [GOLD]: BOTH });
    await settled(() => [way('10.1.0.5', '10.2.0.1'), way('fd01::5', 'fd02::1')], [WAYS.gold, WAYS.gold]);
    await want({}, [DEFAULT]);
    await settled(classTables, []);
  });

  describe('beside Calico-VPP', () => {
    const CALICO = { besideCalico: true, localSidBlock: null };
    let stop: () => void;

    beforeEach(async () => {
      vi.useFakeTimers({ toFake: ['setInterval'] });
      await beginAgain(CALICO);
      stop = harness.open().watch(() => undefined);
      await foreign(async (calico) => {
        await calico.addPolicy('cafe::1', [[1, 'fcdd::d4']]);
        await calico.steer(0, '10.2.0.0/25', 'cafe::1');
        await calico.routeOut(0, '10.2.0.9/32', 2, '0.0.0.0');
        await calico.route(TEST_TABLE, '0.0.0.0/0', { table: 0 });
        await calico.setTable(POD_VRF, true);
        await calico.route(POD_VRF, '0.0.0.0/0', { table: TEST_TABLE });
      });
    });
    afterEach(() => {
      stop();
      vi.useRealTimers();
    });

    it('leave addresses to local pods that have borrowed them, and go before what Calico steers', async () => {
      await has({ [GOLD]: BOTH }, [IN_GOLD]);
      expect(way('10.1.0.5', '10.2.0.9')).toBe('0.0.0.0 interface 2');
      expect(way('10.1.0.5', '10.2.0.1')).toBe(WAYS.gold);
      expect(way('10.1.0.6', '10.2.0.1')).toBe('fcdd::d4');
    });

    it('reach the interface of a new pod with the second poll after its VRF is there', async () => {
      await has({ [GOLD]: ['10.1.0.5', '10.1.0.8'] }, [DEFAULT, IN_GOLD]);
      harness.standIn.addInterface({ name: 'tun8' });
      await vi.advanceTimersByTimeAsync(2_000);
      harness.standIn.setIpv4Table('tun8', POD_VRF);
      expect(way('10.1.0.8', '10.2.0.1', 'tun8')).toBe(WAYS.everybody);
      await expect
        .poll(async () => {
          await vi.advanceTimersByTimeAsync(2_000);
          return way('10.1.0.8', '10.2.0.1', 'tun8');
        })
        .toBe(WAYS.gold);
      harness.standIn.removeInterface('tun8');
      await has({ [GOLD]: ['10.1.0.5'] }, [DEFAULT, IN_GOLD]);
      expect(way('10.1.0.5', '10.2.0.1')).toBe(WAYS.gold);
    });
  });

  it('do no harm where an interface vanishes while they are laid', async () => {
    let vanished = false;
    const watched = new WatchedLink(harness.standIn, (request) => {
      if (vanished || request !== 'sw_interface_dump') return;
      vanished = true;
      harness.standIn.removeInterface('tun1');
    });
    const other = new ReconciledAgent(new VppDataPlane({ ...TEST_SETTINGS, socketPath: '' }, watched));
    await other.want(DEFAULT, IN_GOLD, ...classesOf({ [GOLD]: BOTH }));
    expect([vanished, other.reconciler.health.error]).toEqual([true, null]);
    expect(way('10.1.0.5', '10.2.0.1', 'tap2')).toBe(WAYS.gold);
    // The next pod's interface takes its number, and with it an input ACL that no packet meets.
    harness.standIn.addInterface({ name: 'tun9', ipv4Table: TEST_TABLE, ipv6Table: TEST_TABLE });
    await other.reconciler.reconcile();
    expect(way('10.1.0.5', '10.2.0.1', 'tun9')).toBe(WAYS.gold);
    await other.reconciler.stop();
    watched.close();
  });
});

const idsOf = async ({ vpp }: ForeignVpp) => (await vpp.call('classify_table_ids', {})).ids;
