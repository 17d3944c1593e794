import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Detour, RepairPath } from '../../model/path-protection.js';
import type { LinkId, NodeId, Ted, TedLink } from '../../model/ted.js';
import { freezeSnapshot } from '../../snapshot/freeze-snapshot.js';
import { arbitraryTed } from '../../testing/arbitrary-ted.js';
import { trajectories } from '../../testing/packet-oracle.js';
import { computePaths } from '../compute-paths.js';

/** Every adjacency SID has a local repair: without, there is nothing to predict for it. */
function withRepairs(ted: Ted): Ted {
  const nodes = ted.nodes.map((node) => ({ ...node, sids: node.sids.map((sid) => ({ ...sid, protected: true })) }));
  return { ...ted, nodes };
}

const scenarios = arbitraryTed({ maxRouters: 6, maxLinks: 10, healthy: true, routing: 'never' })
  .map(withRepairs)
  .chain((ted) => {
    const node = fc.constantFrom(...ted.nodes.map(({ id }) => id));
    const metric = fc.constantFrom('igp' as const, 'te' as const, 'delay' as const);
    return fc.record({ ted: fc.constant(ted), source: node, destination: node, metric });
  })
  .filter(({ source, destination }) => source !== destination);

function isHost(ted: Ted, id: NodeId): boolean {
  return ted.nodes.find((node) => node.id === id)?.kind === 'host';
}

/** The links that are left, as routers with converged tables use them for packets to a node. */
function linksAfter(ted: Ted, failed: ReadonlySet<LinkId>, to: NodeId): TedLink[] {
  return ted.links.filter(
    (link) => !failed.has(link.id) && !isHost(ted, link.from) && (!isHost(ted, link.to) || link.to === to),
  );
}

/** Bellman and Ford, over links. */
function distanceAfter(ted: Ted, failed: ReadonlySet<LinkId>, from: NodeId, to: NodeId): number {
  const distance = new Map<NodeId, number>([[from, 0]]);
  const links = linksAfter(ted, failed, to);
  for (let round = 0; round < ted.nodes.length; round++) {
    for (const link of links) {
      const candidate = (distance.get(link.from) ?? Infinity) + link.igpMetric;
      if (candidate < (distance.get(link.to) ?? Infinity)) distance.set(link.to, candidate);
    }
  }
  return distance.get(to) ?? Infinity;
}

function failedLinks(ted: Ted, { failure }: Detour): Set<LinkId> {
  if (failure.kind === 'node') {
    return new Set(ted.links.filter(({ from, to }) => [from, to].includes(failure.node)).map(({ id }) => id));
  }
  const reverse = ted.links.find(({ id }) => id === failure.link)?.reverseId ?? '';
  return new Set([failure.link, reverse]);
}

/** A SID by which packets reach a node itself. */
function sidTo(ted: Ted, id: NodeId): string {
  const sids = ted.nodes.find((node) => node.id === id)?.sids ?? [];
  return sids.find(({ behavior }) => behavior !== 'End.X')?.sid ?? '';
}

/** Does the node reach the other over tables from before the failure, whatever branch is taken, without what failed? */
function avoids(ted: Ted, failed: ReadonlySet<LinkId>, from: NodeId, to: NodeId): boolean {
  return (
    from === to ||
    trajectories(ted, from, to, [sidTo(ted, to)]).every(
      ({ outcome, links }) => outcome === 'delivered' && links.every(({ id }) => !failed.has(id)),
    )
  );
}

function checkRepair(ted: Ted, failed: ReadonlySet<LinkId>, router: NodeId, end: NodeId, repair: RepairPath): void {
  const link = (id: LinkId) => ted.links.find((entry) => entry.id === id) as TedLink;
  const path = repair.links.map(link);
  const after = distanceAfter(ted, failed, router, end);
  expect(repair.metrics.igp).toBe(after);
  expect(path[0]?.from).toBe(router);
  expect(path.at(-1)?.to).toBe(end);
  for (const { id } of path) expect(failed).not.toContain(id);
  // Everybody but the point of local repair still forwards as before the failure.
  const [first] = path as [TedLink];
  const entries = [...repair.repairList.map(({ sid }) => sid), sidTo(ted, end)];
  const beyondFirst = first.to === end ? [] : trajectories(ted, first.to, end, entries);
  if (first.to === end) expect(repair.repairList).toEqual([]);
  for (const { links, outcome } of beyondFirst) {
    expect(outcome).toBe('delivered');
    for (const { id } of links) expect(failed).not.toContain(id);
    expect(first.igpMetric + links.reduce((sum, { igpMetric }) => sum + igpMetric, 0)).toBe(after);
  }
  const beyond = path.map(({ to }) => to);
  const neighbours = linksAfter(ted, failed, end).filter(({ from }) => from === router);
  expect(repair.pSpace).toEqual(beyond.filter((node) => avoids(ted, failed, router, node)));
  // A host is nobody's transit.
  const reaches = (neighbour: NodeId, node: NodeId) =>
    neighbour === node || (!isHost(ted, neighbour) && avoids(ted, failed, neighbour, node));
  expect(repair.extendedPSpace).toEqual(beyond.filter((node) => neighbours.some(({ to }) => reaches(to, node))));
  expect(repair.qSpace).toEqual(beyond.filter((node) => avoids(ted, failed, node, end)));
}

describe('predicted detours', () => {
  it('survive tables from before the failure along paths that are shortest after it', () => {
    fc.assert(
      fc.property(scenarios, ({ ted, source, destination, metric }) => {
        const answer = computePaths(freezeSnapshot(ted), {
          source,
          destination,
          metric,
          constraints: {},
          protection: { detours: ['link', 'node'] },
        });
        if (answer.status === 'no-path') return;
        for (const path of answer.paths) {
          for (const detour of path.protection?.detours ?? []) {
            const failed = failedLinks(ted, detour);
            for (const { pointOfLocalRepair, segmentEnd, outcome, link, activeSegment } of detour.repairs) {
              const end = segmentEnd ?? '';
              const owned = ted.nodes.find(({ id }) => id === pointOfLocalRepair)?.sids ?? [];
              const isAdjacency = owned.some(({ sid, linkId }) => sid === activeSegment && linkId === link);
              if (isAdjacency && outcome.kind === 'repaired') {
                const last = outcome.repairList.at(-1);
                const crossed = ted.links.find(({ id }) => id === (last?.linkId ?? outcome.links[0]));
                expect(last?.behavior === 'End' ? last.node : crossed?.to).toBe(end);
              }
              if (outcome.kind === 'repaired' && !isAdjacency && outcome.repairList.length > 0) {
                const first = ted.links.find(({ id }) => id === outcome.links[0]);
                expect(outcome.qSpace).not.toContain(first?.to);
              }
              if (outcome.kind === 'repaired') checkRepair(ted, failed, pointOfLocalRepair, end, outcome);
              else if (outcome.reason === 'no-post-convergence-path') {
                const scope = ted.nodes.find(({ id }) => id === end)?.locators[0]?.scope;
                if (scope === 'igp') expect(distanceAfter(ted, failed, pointOfLocalRepair, end)).toBe(Infinity);
              } else if (outcome.reason === 'segment-endpoint') {
                expect(detour.failure).toEqual({ kind: 'node', node: end });
              } else expect(['host', 'msd-exceeded']).toContain(outcome.reason);
            }
            expect(detour.isProtected).toBe(detour.repairs.every(({ outcome }) => outcome.kind === 'repaired'));
          }
        }
      }),
      { numRuns: 500 },
    );
  });
});
