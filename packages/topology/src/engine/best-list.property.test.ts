import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PathRequest } from '../model/path-request.js';
import type { AddressFamily } from '../model/address.js';
import type { Proof } from '../model/proof.js';
import type { Sid, Ted, TedLink, TedNode } from '../model/ted.js';
import { finalEndSid, serviceFamilies } from '../segments/owned-sids.js';
import { proveSegmentList } from '../segments/segment-list.js';
import type { Snapshot } from '../snapshot/snapshot.js';
import { freezeSnapshot } from '../snapshot/freeze-snapshot.js';
import { arbitraryRequest } from '../testing/arbitrary-request.js';
import { arbitraryTed, readable } from '../testing/arbitrary-ted.js';
import { valueOf } from '../testing/value-of.js';
import { computePaths } from './compute-paths.js';

const shapes = fc.record({
  bounds: fc.boolean(),
  include: fc.boolean(),
  zeroMetrics: fc.boolean(),
  healthy: fc.boolean(),
  endpointLimits: fc.boolean(),
  maxSegments: fc.option(fc.integer({ min: 0, max: 3 }), { nil: undefined }),
});

const cases = (narrowLinks: boolean) =>
  shapes.chain(({ zeroMetrics, healthy, endpointLimits, maxSegments, ...shape }) =>
    arbitraryTed({ maxRouters: 4, maxLinks: 6, zeroMetrics, healthy, endpointLimits, narrowLinks }).chain((ted) =>
      fc.record({
        ted: fc.constant(ted),
        request: arbitraryRequest(ted, shape).map((request): PathRequest => {
          return maxSegments === undefined ? request : { ...request, maxSegments };
        }),
      }),
    ),
  );

/** Only SIDs of flexible algorithms, or without a route, remove the SRH, and nobody decapsulates a packet with one. */
const removedElsewhere = fc
  .record({ bounds: fc.boolean(), maxSegments: fc.constantFrom(undefined, 1, 2) })
  .chain(({ maxSegments, ...shape }) =>
    arbitraryTed({ maxRouters: 3, maxLinks: 5, healthy: true, endpointLimits: true, routing: 'always' })
      .map((ted): Ted => {
        const nodes = ted.nodes.map((node): TedNode => {
          const sids = node.sids.map((sid): Sid => {
            const isElsewhere = sid.behavior === 'End' && (sid.algorithm > 0 || sid.sid.startsWith('fd00:0:3'));
            return { ...sid, flavors: isElsewhere ? ['PSP'] : [] };
          });
          return { ...node, msdSegmentsLeft: null, msdEndPop: null, msdEndD: 0, sids };
        });
        return readable({ ...ted, nodes });
      })
      .chain((ted) =>
        fc.record({
          ted: fc.constant(ted),
          request: arbitraryRequest(ted, shape).map((request): PathRequest => {
            return maxSegments === undefined ? request : { ...request, maxSegments };
          }),
        }),
      ),
  );

interface BestOfAll {
  readonly worst: number;
  readonly sids: number;
}

/** The best of all lists of up to two SIDs in front of the final one, none of them anycast, by trying them all. */
function tryAll(ted: Ted, request: PathRequest): BestOfAll {
  const snapshot = freezeSnapshot(ted);
  const { source, destination, metric, constraints, maxSegments } = request;
  const tail = snapshot.nodeIndexOf(destination);
  const families = serviceFamilies(snapshot, tail);
  const ownEnd = finalEndSid(snapshot, tail);
  if (families.length === 0 && ownEnd === undefined) return { worst: Infinity, sids: Infinity };
  const requirement = { constraints, ...(maxSegments === undefined ? {} : { maxSegments }) };
  const proofsIn = (network: Snapshot, transport: readonly string[]): Proof[] => {
    const prove = (sids: readonly string[], family: AddressFamily | null) =>
      proveSegmentList(network, source, sids, family, destination, requirement).proof;
    if (families.length > 0) return families.map((family) => prove(transport, family));
    return [prove([...transport, ownEnd === undefined ? '' : snapshot.sidTextOf(ownEnd)], null)];
  };
  // What is booked goes one way, but for what a host splits over its own links.
  const { bandwidthBps = 0 } = constraints;
  const perFirstLink = bandwidthBps === 0 ? [] : byFirstLink(ted, source);
  const valueWith = (transport: readonly string[]): number => {
    const proofs = proofsIn(snapshot, transport);
    const isOneWay = perFirstLink.every((network) => proofsIn(network, transport).every((proof) => proof.singlePath));
    // And each link has all of it left, also where only a share of it comes by.
    const isWide = proofs.every((proof) => proof.load.every(({ linkId }) => bandwidthOf(ted, linkId) >= bandwidthBps));
    if (!isOneWay || !isWide) return Infinity;
    return Math.max(...proofs.map((proof) => (proof.ok ? valueOf(proof.worst, metric) : Infinity)));
  };
  const texts = ted.nodes
    .flatMap((node) => node.sids.filter((sid) => !sid.behavior.startsWith('End.DT')))
    .filter(({ sid }, _, all) => all.filter((other) => other.sid === sid).length === 1);
  let best: BestOfAll = { worst: Infinity, sids: Infinity };
  let lists: string[][] = [[]];
  for (let sids = 0; sids <= 2; sids++) {
    for (const list of lists) {
      const worst = valueWith(list);
      if (worst < best.worst) best = { worst, sids };
    }
    lists = lists.flatMap((list) => texts.map(({ sid }) => [...list, sid]));
  }
  return best;
}

/** The network with only one of the links over which a host sends: once for each. */
function byFirstLink(ted: Ted, source: string): Snapshot[] {
  const isHost = (id: string) => ted.nodes.find((node) => node.id === id)?.kind === 'host';
  if (!isHost(source)) return [freezeSnapshot(ted)];
  return ted.links
    .filter((link) => link.from === source)
    .map(({ id, reverseId }) => {
      const isKept = (link: TedLink) =>
        (link.from !== source && link.to !== source) || link.id === id || link.id === reverseId;
      return freezeSnapshot({ ...ted, links: ted.links.filter(isKept) });
    });
}

function bandwidthOf(ted: Ted, id: string): number {
  const link = ted.links.find((other) => other.id === id);
  return link?.reservableBandwidthBps ?? link?.bandwidthBps ?? 0;
}

function withoutLimits(ted: Ted): Ted {
  const none = { msdSegmentsLeft: null, msdEndPop: null, msdEndD: null };
  return { ...ted, nodes: ted.nodes.map((node) => ({ ...node, ...none })) };
}

describe('an answer', () => {
  it.each([
    ['with MSD, hosts that split, SIDs missing, several algorithms', cases(true), 300, 25],
    ['where only SIDs without a route by algorithm 0 remove the SRH', removedElsewhere, 200, 25],
  ])('is the best list of all, and the shortest of those: %s', (_, networks, numRuns, leastFound) => {
    let found = 0;
    fc.assert(
      fc.property(networks, ({ ted, request }) => {
        const answer = computePaths(freezeSnapshot(ted), request);
        const best = tryAll(ted, request);
        if (answer.status === 'no-path') {
          expect([answer.reason, best.worst]).toEqual([answer.reason, Infinity]);
          return;
        }
        found++;
        expect(answer.optimality).toBe('optimal');
        const [path] = answer.paths;
        const lists = path?.segmentLists ?? [];
        const worst = Math.max(...lists.map((list) => valueOf(list.proof.worst, request.metric)));
        expect(worst).toBe(answer.lowerBound);
        expect(best.worst).toBeGreaterThanOrEqual(worst);
        const inFront = (path?.transport.length ?? 0) - (lists[0]?.family === null ? 1 : 0);
        // Of loss, lists that differ can be equal when rounded to ppm.
        if (best.worst === worst && request.metric !== 'loss') expect(inFront).toBeLessThanOrEqual(best.sids);
      }),
      { numRuns },
    );
    expect(found).toBeGreaterThan(leastFound);
  });

  it('blames an MSD only where more of it would do, but for MTUs', () => {
    const blamed = { headend: 0, endpoint: 0 };
    fc.assert(
      fc.property(cases(false), ({ ted, request }) => {
        const answer = computePaths(freezeSnapshot(ted), request, { skipConflict: true });
        fc.pre(answer.status === 'no-path' && answer.reason === 'msd-exceeded');
        const isHeadend = answer.nearestFeasible !== null;
        const after = isHeadend
          ? computePaths(freezeSnapshot(ted), { ...request, maxSegments: answer.nearestFeasible })
          : computePaths(freezeSnapshot(withoutLimits(ted)), request);
        expect([answer.message, after.status]).toEqual([answer.message, 'computed']);
        expect(answer.blockingNodes).toHaveLength(1);
        blamed[isHeadend ? 'headend' : 'endpoint']++;
      }),
      { numRuns: 50, maxSkipsPerRun: 1000 },
    );
    expect(Math.min(blamed.headend, blamed.endpoint)).toBeGreaterThan(0);
  });
});
