import { effectiveBuckets, type HistoryStep, type VppStandIn } from '@waymark/vpp-stand-in';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PolicySketch, TunnelSketch } from '../../testing/policies.js';
import { ReconciledAgent } from '../../testing/reconciled-agent.js';
import { standInOnly, TEST_SETTINGS, TEST_TABLE, VppHarness } from '../../testing/vpp-harness.js';
import { dropSidOf } from './drop-sid.js';

const DROP_SID = dropSidOf(TEST_SETTINGS.bsidBlock);
const POLICIES = ['h1:1:a', 'h1:1:b', 'h1:2:c'];
const PREFIXES = {
  ipv4: ['10.0.0.0/24', '10.0.1.0/24', '10.0.2.0/24'],
  ipv6: ['fd00::/64', 'fd00:1::/64', '::/0'],
} as const;
const FAMILIES = ['ipv4', 'ipv6'] as const;

type Lists = TunnelSketch['lists'];
type State = readonly PolicySketch[];

const weight = fc.oneof({ weight: 4, arbitrary: fc.integer({ min: 1, max: 9 }) }, fc.constantFrom(1_000, 6_000));
const lists: fc.Arbitrary<Lists> = fc.oneof(
  { weight: 1, arbitrary: fc.constant('drop' as const) },
  {
    weight: 6,
    arbitrary: fc
      .uniqueArray(fc.tuple(weight, fc.constantFrom('fc00:1::1', 'fc00:2::1', 'fc00:3::1', 'fc00:4::1')), {
        minLength: 1,
        maxLength: 3,
        selector: ([, sid]) => sid,
      })
      .filter((some) => !effectiveBuckets(some.map(([each]) => each)).includes(0))
      .map((some) => some.map(([each, sid]): [number, ...string[]] => [each, sid, 'fc00:9::d4'])),
  },
);
const owner = fc.option(fc.constantFrom(...POLICIES), { nil: null, freq: 5 });

/** Each prefix belongs to one policy or to none; each policy has any lists. */
const state: fc.Arbitrary<State> = fc
  .record({
    owners: fc.array(owner, { minLength: 6, maxLength: 6 }),
    lists: fc.array(lists, { minLength: 6, maxLength: 6 }),
    present: fc.subarray(POLICIES, { minLength: 1 }),
  })
  .map(({ owners, lists: all, present }) => {
    const tunnel = (id: string, family: 'ipv4' | 'ipv6'): TunnelSketch => {
      const shift = family === 'ipv4' ? 0 : 3;
      const prefixes = PREFIXES[family].filter((_, index) => owners[index + shift] === id);
      return { lists: all[POLICIES.indexOf(id) + shift] ?? 'drop', prefixes };
    };
    return present.map((id) => ({ id, ipv4: tunnel(id, 'ipv4'), ipv6: tunnel(id, 'ipv6') }));
  });

/** Segment lists that a prefix may take in a state, as texts; null: it is not wanted there. */
function wantedLists(sketches: State, prefix: string): readonly string[] | null {
  for (const sketch of sketches) {
    for (const family of FAMILIES) {
      const tunnel = sketch[family];
      if (tunnel?.prefixes.includes(prefix) !== true) continue;
      return tunnel.lists === 'drop' ? [DROP_SID] : tunnel.lists.map(([, ...sids]) => sids.join());
    }
  }
  return null;
}

/** The fates of a packet, as texts: the lists that it may take, or why it is dropped. */
function fateOf({ forwarding }: HistoryStep): readonly string[] {
  if (forwarding.kind === 'policy') return forwarding.lists.map(({ segments }) => segments.join());
  return [`${forwarding.kind} ${forwarding.kind === 'drop' ? forwarding.reason : forwarding.via}`];
}

interface Moment {
  readonly state: State;
  /** Requests that VPP had seen when it was wanted. */
  readonly from: number;
}

/** Every fate that contradicts what is wanted before and after it, in words. */
function violations(standIn: VppStandIn, moments: readonly Moment[]): string[] {
  return [...PREFIXES.ipv4, ...PREFIXES.ipv6].flatMap((prefix) => {
    const [address = ''] = prefix.split('/');
    const history = standIn.history(TEST_TABLE, address === '::' ? '2001:db8::1' : address);
    return moments.flatMap(({ state: now, from }, index) => {
      const before = wantedLists(moments[index - 1]?.state ?? [], prefix);
      const after = wantedLists(now, prefix);
      if (before === null || after === null) return [];
      const allowed = new Set([...before, ...after]);
      const to = moments[index + 1]?.from ?? Number.POSITIVE_INFINITY;
      return history
        .filter(({ after: cause }) => cause !== undefined && cause.sequence >= from && cause.sequence < to)
        .filter((step) => fateOf(step).length === 0 || fateOf(step).some((fate) => !allowed.has(fate)))
        .map((step) => `${prefix} in step ${index}: ${fateOf(step).join(' | ')} after ${step.after?.name ?? ''}`);
    });
  });
}

async function walk(states: readonly State[]): Promise<string[]> {
  const harness = await VppHarness.onStandIn();
  const agent = new ReconciledAgent(harness.open());
  try {
    const moments: Moment[] = [];
    for (const each of states) {
      moments.push({ state: each, from: harness.standIn.log.length });
      await agent.want(...each);
      expect(agent.lastReport.outcomes.filter(({ outcome }) => outcome === 'failed')).toEqual([]);
      expect(harness.standIn.policies.flatMap((policy) => policy.lists.filter(({ buckets }) => buckets === 0))).toEqual(
        [],
      );
    }
    expect(harness.standIn.crashes).toEqual([]);
    return violations(harness.standIn, moments);
  } finally {
    await agent.reconciler.stop();
    await harness.close();
  }
}

const one = (sid: string): Lists => [[1, sid, 'fc00:9::d4']];

describe.skipIf(standInOnly !== undefined)(`VPP under changes${standInOnly ? ` (${standInOnly})` : ''}`, () => {
  it('never drops a prefix that stays wanted, nor sends it where neither the old nor the new state does', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(state, { minLength: 2, maxLength: 5 }), async (states) => {
        expect(await walk(states)).toEqual([]);
      }),
      { numRuns: 10 },
    );
  });

  it.each([
    {
      what: 'all lists are replaced',
      states: [
        [{ id: 'h1:1:a', ipv4: { lists: one('fc00:1::1'), prefixes: ['10.0.0.0/24'] } }],
        [{ id: 'h1:1:a', ipv4: { lists: one('fc00:2::1'), prefixes: ['10.0.0.0/24'] } }],
      ],
    },
    {
      what: 'a mix of old and new weights would starve',
      states: [
        [{ id: 'h1:1:a', ipv4: { lists: [[6_000, 'fc00:1::1']], prefixes: ['10.0.0.0/24'] } }],
        [{ id: 'h1:1:a', ipv4: { lists: [[1, 'fc00:2::1']], prefixes: ['10.0.0.0/24'] } }],
      ],
    },
    {
      what: 'a policy hands a prefix over and starts to drop',
      states: [
        [{ id: 'h1:1:a', ipv4: { lists: one('fc00:1::1'), prefixes: ['10.0.0.0/24', '10.0.1.0/24'] } }],
        [
          { id: 'h1:1:a', ipv4: { lists: 'drop', prefixes: ['10.0.1.0/24'] } },
          { id: 'h1:1:b', ipv4: { lists: one('fc00:2::1'), prefixes: ['10.0.0.0/24'] } },
        ],
      ],
    },
    {
      what: 'a policy hands its only prefix over and gets other lists',
      states: [
        [{ id: 'h1:1:a', ipv4: { lists: one('fc00:1::1'), prefixes: ['10.0.0.0/24'] } }],
        [
          { id: 'h1:1:a', ipv4: { lists: one('fc00:3::1'), prefixes: [] } },
          { id: 'h1:1:b', ipv4: { lists: one('fc00:2::1'), prefixes: ['10.0.0.0/24'] } },
        ],
      ],
    },
    {
      what: 'two policies change their lists and swap their prefixes',
      states: [
        [
          { id: 'h1:1:a', ipv4: { lists: one('fc00:1::1'), prefixes: ['10.0.0.0/24'] } },
          { id: 'h1:1:b', ipv4: { lists: one('fc00:2::1'), prefixes: ['10.0.1.0/24'] } },
        ],
        [
          { id: 'h1:1:a', ipv4: { lists: one('fc00:3::1'), prefixes: ['10.0.1.0/24'] } },
          { id: 'h1:1:b', ipv4: { lists: one('fc00:4::1'), prefixes: ['10.0.0.0/24'] } },
        ],
      ],
    },
  ] satisfies { what: string; states: State[] }[])('loses nothing when $what', async ({ states }) => {
    expect(await walk(states)).toEqual([]);
  });
});
