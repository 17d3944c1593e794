import { isDeepStrictEqual } from 'node:util';
import {
  freezeSnapshot,
  type FlexAlgorithmDefinition,
  type MetricType,
  type StandbyRequest,
  type Ted,
  type TedLink,
} from '@waymark/topology';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { incumbentAfter, type Incumbent } from '../compute/evaluate-policies-model.js';
import { evaluatePolicies } from '../compute/evaluate-policies.js';
import type { ProposedChange } from '../model/ports.js';
import type { CandidatePathIntent, DisjointStandby } from '../model/sr-policy.js';
import { PolicyHarness } from '../testing/policy-harness.js';
import { buildTed, withLinks } from '../testing/sketched-network.js';
import { bookedPerLink } from './bookings.js';
import { loadPolicies } from './evaluation-input.js';

const G = 1_000_000_000;
const ROUTERS = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
const PAIRS = ['a-b', 'b-c', 'c-d', 'd-e', 'e-f', 'f-g', 'g-a', 'a-d', 'b-f', 'c-g', 'd-g'];
const HOSTS = [
  ['h1', 'a'],
  ['h2', 'd'],
  ['h3', 'f'],
] as const;

const values = fc.record({
  delayUs: fc.integer({ min: 100, max: 10_000 }),
  delayVariationUs: fc.integer({ min: 0, max: 500 }),
  lossPpm: fc.integer({ min: 0, max: 300_000 }),
  igpMetric: fc.integer({ min: 1, max: 30 }),
  bandwidthBps: fc.constantFrom(5 * G, 10 * G),
});

/** One thing that happens to one pair of routers. */
const change = fc.record({
  pair: fc.constantFrom(...PAIRS),
  what: fc.oneof(
    values,
    fc.record({ delayUs: fc.integer({ min: 100, max: 10_000 }) }),
    fc.record({ delayVariationUs: fc.integer({ min: 0, max: 500 }), lossPpm: fc.integer({ min: 0, max: 300_000 }) }),
    fc.record({ operationalState: fc.constantFrom('up' as const, 'down' as const) }),
    fc.record({ adminState: fc.constantFrom('up' as const, 'drained' as const) }),
  ),
});

function network(links: readonly Partial<TedLink>[]): Ted {
  return buildTed(
    [
      ...ROUTERS,
      ...HOSTS.map(([id], i) => ({ id, kind: 'host' as const, scope: 'igp' as const, address: `fd00:ffff::${i + 1}` })),
    ],
    [
      ...HOSTS.map(([host, router]) => ({ between: `${host}-${router}`, bandwidthBps: 100 * G })),
      ...PAIRS.map((between, i) => ({ between, ...links[i] })),
    ],
  );
}

const DEFINITION = { priority: 1, excludeAny: [], includeAny: [], includeAll: [], excludeSrlgs: [] } as const;

/** The network with an algorithm that goes by TE metric or delay, and an anycast prefix of b, d and f. */
function withAlgorithm(ted: Ted, metricType: FlexAlgorithmDefinition['metricType']): Ted {
  const nodes = ted.nodes.map((node, i) => {
    const [locator, end] = [node.locators[0], node.sids[0]];
    if (locator === undefined || end === undefined || node.kind === 'host') return node;
    const isMember = ['b', 'd', 'f'].includes(node.id);
    const prefix = `fd00:0:1${String(i).padStart(2, '0')}`;
    const definition = node.id === 'a' ? { ...DEFINITION, metricType } : null;
    return {
      ...node,
      flexAlgorithms: [{ algorithm: 128, definition }],
      locators: [
        locator,
        { ...locator, prefix: `${prefix}::/48`, algorithm: 128 },
        ...(isMember ? [{ ...locator, prefix: 'fd00:0:f00::/48', anycast: true }] : []),
      ],
      sids: [
        ...node.sids,
        { ...end, sid: `${prefix}:1::`, algorithm: 128 },
        ...(isMember ? [{ ...end, sid: 'fd00:0:f00:1::' }] : []),
      ],
    };
  });
  return { ...ted, nodes };
}

function changed(ted: Ted, pair: string, what: Partial<TedLink>): Ted {
  const [from = '', to = ''] = pair.split('-');
  return withLinks(ted, { [`${from}:${to}`]: what, [`${to}:${from}`]: what });
}

function dynamic(metric: MetricType, constraints = {}, preference = 1): CandidatePathIntent[] {
  return [{ discriminator: preference, preference, path: { kind: 'dynamic', metric, constraints } }];
}

/** The same, asking for a standby. */
function protectedBy(paths: readonly CandidatePathIntent[], standby: StandbyRequest): CandidatePathIntent[] {
  return paths.map(({ path, ...rest }) => ({ ...rest, path: path.kind === 'dynamic' ? { ...path, standby } : path }));
}

/** For lists of one SID in front of the service SID, if that. */
function confined(metric: MetricType): CandidatePathIntent[] {
  return [{ discriminator: 1, preference: 1, path: { kind: 'dynamic', metric, constraints: {}, maxSegments: 1 } }];
}

/** A change as it is proposed to a dry-run; none for what only routers can change. */
/** One mesh of all hosts for each of these, in its own color; returns when everything is computed. */
async function mesh(harness: PolicyHarness, intents: readonly (readonly CandidatePathIntent[])[]): Promise<void> {
  for (const [color, candidatePaths] of intents.entries()) {
    const template = { candidatePaths, fallback: 'shortest-path' as const };
    const intent = { id: `mesh-${color}`, color: color + 1, selector: { all: true as const }, template, overrides: [] };
    await harness.service.createMesh(intent, { name: 'test' });
  }
  await harness.settled();
}

function proposed(pair: string, what: Partial<TedLink>): ProposedChange[] {
  const [from = '', to = ''] = pair.split('-');
  if ('igpMetric' in what) return [];
  return [`${from}:${to}`, `${to}:${from}`].map((link) => {
    const { operationalState, ...constraints } = what;
    return operationalState === undefined
      ? { kind: 'link-constraints', link, constraints }
      : { kind: 'link-state', link, state: operationalState };
  });
}

function routeOf(lists: readonly { readonly links: readonly string[] }[]): string {
  return lists.map(({ links }) => links.join()).join(' | ');
}

interface Place {
  readonly route: string;
  readonly sids: string;
  /** A fallback can lead the same way. */
  readonly status: string | undefined;
}

/** Where each policy goes, and by which lists, by id. */
async function places(harness: PolicyHarness): Promise<Map<string, Place>> {
  const { items } = await harness.service.policies({}, { limit: 1000 });
  return new Map(
    items.map(({ id, state }) => {
      const lists = state?.lists ?? [];
      const sids = lists.map(({ transport }) => transport.map(({ sid }) => sid).join()).join(' | ');
      return [id, { route: routeOf(lists), sids, status: state?.status }];
    }),
  );
}

describe('the policies found to be affected by a change', () => {
  it('are all that a full evaluation would move, as a dry-run has foretold', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(values, { minLength: PAIRS.length, maxLength: PAIRS.length }),
        fc.array(change, { minLength: 4, maxLength: 8 }),
        async (links, changes) => {
          const harness = await PolicyHarness.create(network(links));
          try {
            await harness.lead();
            const intents = [
              dynamic('delay'),
              dynamic('igp'),
              dynamic('hop', { exclude: { nodes: ['b'] } }),
              dynamic('delay-variation', { bounds: [{ metric: 'delay', max: 15_000 }] }),
              dynamic('loss'),
              confined('delay'),
              protectedBy(dynamic('delay'), { disjoint: 'node' }),
              [...protectedBy(dynamic('igp', {}, 3), { disjoint: 'node', mode: 'relaxed' }), ...dynamic('hop', {}, 2)],
              [...dynamic('delay', {}, 3), ...dynamic('igp', {}, 2), ...dynamic('hop', { exclude: { nodes: ['g'] } })],
            ];
            await mesh(harness, intents);
            for (const { pair, what } of changes) {
              const before = await places(harness);
              const proposal = proposed(pair, what);
              const { moves } = await harness.service.dryRun(proposal);
              await harness.setTed(changed(harness.ted, pair, what));
              await harness.settled();
              expect(await movesOfFullEvaluation(harness)).toEqual([]);
              expect(await failedStandbys(harness)).toEqual([]);
              if (proposal.length === 0) continue;
              // The dry-run has foretold exactly what moved or got other lists, and where to.
              const after = await places(harness);
              const moved = [...after]
                .filter(([id, place]) => !isDeepStrictEqual(place, before.get(id)))
                .map(([id, { route }]) => [id, route]);
              // One that must stay keeps its lists; the IGP may move its traffic all the same.
              const foretold = moves.filter(
                ({ policyId, change, after: lists }) =>
                  change !== 'unchanged-blocked' || routeOf(lists) !== before.get(policyId)?.route,
              );
              expect(foretold.map(({ policyId, after: lists }) => [policyId, routeOf(lists)])).toEqual(moved);
            }
          } finally {
            await harness.stop();
          }
        },
      ),
      { numRuns: 6 },
    );
  }, 240_000);
});

describe('the policies that follow flexible algorithms and anycast prefixes', () => {
  it('are found whatever changes of links or definitions', async () => {
    const seen = { flexible: 0 };
    const metricType = fc.constantFrom('te' as const, 'min-delay' as const, 'igp' as const);
    const metrics = fc.record({
      teMetric: fc.integer({ min: 1, max: 9 }),
      delayMinUs: fc.integer({ min: 1, max: 9 }),
      igpMetric: fc.integer({ min: 1, max: 9 }),
      delayUs: fc.integer({ min: 100, max: 9_000 }),
    });
    const step = fc.oneof(fc.record({ pair: fc.constantFrom(...PAIRS), what: metrics }), change, metricType);
    await fc.assert(
      fc.asyncProperty(
        fc.array(metrics, { minLength: PAIRS.length, maxLength: PAIRS.length }),
        fc.array(step, { minLength: 4, maxLength: 8 }),
        async (links, steps) => {
          let bare = network(links);
          let type: FlexAlgorithmDefinition['metricType'] = 'te';
          const harness = await PolicyHarness.create(withAlgorithm(bare, type));
          try {
            await harness.lead();
            const anycast = [
              {
                discriminator: 1,
                preference: 1,
                path: { kind: 'explicit' as const, segmentLists: [{ weight: 1, sids: ['fd00:0:f00:1::'] }] },
              },
            ];
            await mesh(harness, [dynamic('te'), dynamic('delay'), confined('te'), anycast]);
            for (const next of steps) {
              if (typeof next === 'string') type = next;
              else bare = changed(bare, next.pair, next.what);
              await harness.setTed(withAlgorithm(bare, type));
              await harness.settled();
              expect(await movesOfFullEvaluation(harness)).toEqual([]);
              expect(await failedStandbys(harness)).toEqual([]);
              const after = [...(await places(harness)).values()];
              seen.flexible += after.filter(({ sids }) => /fd00:0:1\d\d:/.test(sids)).length;
            }
          } finally {
            await harness.stop();
          }
        },
      ),
      { numRuns: 6 },
    );
    expect(seen.flexible).toBeGreaterThan(0);
  }, 240_000);
});

describe('bookings', () => {
  it('never exceed what a link can reserve, whatever changes and however acks come', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof(change, fc.constant('ack' as const)), { minLength: 4, maxLength: 8 }),
        async (steps) => {
          const plain = { delayUs: 1000, igpMetric: 10, bandwidthBps: 10 * G };
          const harness = await PolicyHarness.create(network(PAIRS.map(() => plain)));
          try {
            await harness.lead();
            for (const [host] of HOSTS) await harness.meetAgent(host);
            for (const color of [1, 2, 3, 4]) {
              const intent = { headend: 'h1', endpoint: 'h2', color, fallback: 'drop' as const };
              const candidatePaths = dynamic('delay', { bandwidthBps: color * G + 2 * G });
              await harness.service.createPolicy({ ...intent, candidatePaths }, { name: 'test' });
            }
            await harness.settled();
            for (const step of steps) {
              if (step === 'ack') {
                await harness.ack('h1');
              } else if (!('bandwidthBps' in step.what)) {
                // Only the operator's own shrinking of a link may leave it booked beyond what it has.
                await harness.setTed(changed(harness.ted, step.pair, step.what));
              }
              await harness.settled();
              for (const { linkId, bandwidthBps } of await bookedPerLink(harness.database.db)) {
                const link = harness.ted.links.find(({ id }) => id === linkId);
                expect(bandwidthBps, linkId).toBeLessThanOrEqual(link?.bandwidthBps ?? 0);
              }
            }
          } finally {
            await harness.stop();
          }
        },
      ),
      { numRuns: 6 },
    );
  }, 240_000);
});

/** Standbys, and what is told of them, that do not hold on the newest TED: a change that broke them was not seen. */
async function failedStandbys(harness: PolicyHarness): Promise<string[]> {
  const ids = await harness.database.db.selectFrom('sr_policy').select('id').execute();
  const { policies } = await loadPolicies(
    harness.database.db,
    ids.map(({ id }) => id),
    () => false,
  );
  const standbyOf = (incumbent: Incumbent | null) => [incumbent?.standby, incumbent?.disjointStandby];
  const stored = new Map(policies.map(({ policyId, incumbent }) => [policyId, standbyOf(incumbent)]));
  const snapshot = freezeSnapshot(harness.ted);
  const evaluations = evaluatePolicies({ snapshot, policies, booked: [], heldLinks: [] });
  return evaluations
    .filter((evaluation) => !isDeepStrictEqual(standbyOf(incumbentAfter(evaluation)), stored.get(evaluation.policyId)))
    .map(({ policyId }) => policyId);
}

async function movesOfFullEvaluation(harness: PolicyHarness): Promise<string[]> {
  const ids = await harness.database.db.selectFrom('sr_policy').select('id').execute();
  const { policies } = await loadPolicies(
    harness.database.db,
    ids.map(({ id }) => id),
    () => true,
  );
  const evaluations = evaluatePolicies({
    snapshot: freezeSnapshot(harness.ted),
    policies,
    booked: [],
    heldLinks: [],
  });
  const stored = new Map(policies.map(({ policyId, incumbent }) => [policyId, incumbent?.disjointStandby ?? null]));
  const levelOf = (standby: DisjointStandby | null | undefined) => standby && [standby.isFound, standby.achieved];
  return evaluations
    .filter(
      ({ policyId, decision, disjointStandby }) =>
        decision === 'changed' || !isDeepStrictEqual(levelOf(disjointStandby), levelOf(stored.get(policyId))),
    )
    .map(({ policyId, cause }) => `${policyId}: ${cause}`);
}
