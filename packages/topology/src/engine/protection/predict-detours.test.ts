import { describe, expect, it } from 'vitest';
import type { Detour } from '../../model/path-protection.js';
import type { PathRequest } from '../../model/path-request.js';
import type { Ted } from '../../model/ted.js';
import { freezeSnapshot } from '../../snapshot/freeze-snapshot.js';
import { buildTed, type LinkSpec, type NodeSpec } from '../../testing/build-ted.js';
import { computePaths } from '../compute-paths.js';

/** A ring a-b-c-d-e-a: when a-b fails, traffic from a to b has to go all around, and e would send it back. */
const RING: readonly LinkSpec[] = ['a-b', 'b-c', 'c-d', 'd-e', 'e-a'].map((between) => ({ between }));

function ring(change: Partial<NodeSpec> = {}): Ted {
  return buildTed([{ id: 'a', ...change }, 'b', 'c', 'd', 'e'], RING);
}

function detours(ted: Ted, request: Partial<PathRequest>): readonly Detour[] {
  const whole: PathRequest = {
    source: 'a',
    destination: 'b',
    metric: 'igp',
    constraints: {},
    families: [],
    ...request,
  };
  const answer = computePaths(freezeSnapshot(ted), { ...whole, protection: { detours: ['link', 'node'] } });
  return answer.status === 'computed' ? (answer.paths[0]?.protection?.detours ?? []) : [];
}

describe('a predicted detour', () => {
  it('pushes the SID of a node that is in the extended P-space and in the Q-space', () => {
    const [detour] = detours(ring(), {});
    expect(detour).toMatchObject({ failure: { kind: 'link', link: 'a:b' }, isProtected: true, broken: [] });
    expect(detour?.repairs).toMatchObject([
      {
        pointOfLocalRepair: 'a',
        segmentEnd: 'b',
        outcome: {
          links: ['a:e', 'e:d', 'd:c', 'c:b'],
          pSpace: ['e', 'd'],
          extendedPSpace: ['e', 'd', 'c'],
          qSpace: ['d', 'c', 'b'],
          repairList: [{ node: 'd', behavior: 'End' }],
          srhEntries: 0,
          headerBytes: 40,
          decapsulates: false,
        },
      },
    ]);
    expect(detour?.worst).toMatchObject({ igp: 40, hops: 4, delayUs: 4000 });
    expect(detour?.pathMtuBytes).toBe(9000 - 40 - 40);
  });

  it('says which constraints of the request do not hold on it', () => {
    const ted = ring();
    const links = ted.links.map((link) => (link.id === 'd:c' ? { ...link, affinities: ['leased'], srlgs: [7] } : link));
    const bounds = [
      { metric: 'delay', max: 3999 },
      { metric: 'hop', max: 4 },
    ] as const;
    const [detour] = detours(
      { ...ted, links },
      { constraints: { bounds, affinities: { excludeAny: ['leased'] }, exclude: { srlgs: [7], nodes: ['e'] } } },
    );
    expect(detour?.broken.map(({ constraint }) => constraint)).toEqual([
      '/constraints/bounds/0',
      '/constraints/affinities/excludeAny',
      '/constraints/exclude/nodes',
      '/constraints/exclude/srlgs',
    ]);
  });

  it('holds each of several weighted lists against its part of the bandwidth', () => {
    const ted = buildTed(
      ['a', 'b', 'c', 'd'],
      ['a-b', 'b-d', 'a-c', 'c-d', 'a-d'].map((between, i) => ({ between, igpMetric: 1 + i, bandwidthBps: 8 })),
    );
    const request = { source: 'a', destination: 'd', metric: 'igp', families: [], maxLists: 2 } as const;
    const answer = computePaths(freezeSnapshot(ted), {
      ...request,
      constraints: { bandwidthBps: 16 },
      protection: { detours: ['link'] },
    });
    if (answer.status === 'no-path') throw new Error(answer.message);
    expect(answer.paths.map(({ weight }) => weight)).toEqual([1, 1]);
    const found = answer.paths.flatMap(({ protection }) => protection?.detours ?? []);
    expect(found.filter(({ isProtected }) => isProtected).length).toBeGreaterThan(0);
    // Half of it fits on every link.
    expect(found.flatMap(({ broken }) => broken)).toEqual([]);
  });

  it('is none where the router cannot push its list', () => {
    const [detour] = detours(ring({ msdHEncaps: 0, encapMode: 'full' }), { source: 'e' });
    expect(detour).toMatchObject({ failure: { kind: 'link', link: 'a:b' }, isProtected: false, worst: null });
    expect(detour?.repairs[0]?.outcome).toMatchObject({ reason: 'msd-exceeded' });
  });

  it('is none where the failed node ends the active segment', () => {
    const answer = detours(ring(), { destination: 'c', constraints: { include: [{ link: 'e:d' }] }, metric: 'igp' });
    const ofEnd = answer.find(({ failure }) => failure.kind === 'node' && failure.node === 'd');
    expect(ofEnd?.repairs[0]?.outcome).toMatchObject({ reason: 'segment-endpoint' });
  });

  it('repairs an adjacency segment only where it is advertised as protected, to the far end of its link', () => {
    const parallel = buildTed(
      ['a', 'b', 'c'],
      [{ between: 'a-b' }, { between: 'a-b#2', igpMetric: 90 }, { between: 'b-c' }, { between: 'a-c', igpMetric: 90 }],
    );
    const request = { destination: 'c', constraints: { include: [{ link: 'a:b:2' }] } } as const;
    const crossing = (ted: Ted) =>
      detours(ted, request).find(({ failure }) => failure.kind === 'link' && failure.link === 'a:b:2')?.repairs[0];
    expect(crossing(parallel)?.outcome).toMatchObject({ reason: 'adjacency-unprotected' });
    const nodes = parallel.nodes.map((node) => ({
      ...node,
      sids: node.sids.map((sid) => ({ ...sid, protected: true })),
    }));
    expect(crossing({ ...parallel, nodes })).toMatchObject({
      segmentEnd: 'b',
      outcome: { kind: 'repaired', links: ['a:b'], repairList: [] },
    });
  });
});
