import { readFileSync } from 'node:fs';
import { reservableBps, type Ted } from '@waymark/topology';
import { parseTopology, tedFromDocument } from '@waymark/topology-formats';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Problem } from '../model/errors.js';
import { ComputePool } from './compute-pool.js';
import { PathComputation } from './path-computation.js';
import { SnapshotCache } from './snapshot-cache.js';

const document = parseTopology(
  readFileSync(new URL('../../../../examples/paper-testbed.yaml', import.meta.url), 'utf8'),
  'native',
);
const newest = tedFromDocument(document, 9);
const past: Ted = {
  revision: 4,
  nodes: newest.nodes,
  links: newest.links.map((link) => (link.id === 'R6:R8' ? { ...link, operationalState: 'down' } : link)),
};

let reads: (number | undefined)[] = [];
const topology = {
  ted: (revision?: number): Promise<Ted> => {
    reads.push(revision);
    if (revision === undefined) return Promise.resolve(newest);
    if (revision === past.revision) return Promise.resolve(past);
    return Promise.reject(new Problem('not-found', { detail: `revision ${revision}` }));
  },
};

let pool: ComputePool;
let paths: PathComputation;
beforeAll(() => {
  pool = new ComputePool({ threads: 1 });
  const snapshots = new SnapshotCache(topology);
  paths = new PathComputation({
    snapshots,
    pool,
    // Half is booked, at the lowest priority.
    unreservedBps: (snapshot, setupPriority = 7) =>
      Promise.resolve(reservableBps(snapshot).map((bps) => (setupPriority < 7 ? bps : bps / 2))),
    findHeldSource: () => Promise.resolve(undefined),
  });
});
afterAll(() => pool.close());

const request = { source: 'worker1', destination: 'worker2', metric: 'igp', constraints: {} } as const;

describe('a path computation', () => {
  it('is answered on the newest revision, with what is booked', async () => {
    const half = newest.links[0]?.bandwidthBps ?? 0;
    const fits = await paths.compute({ ...request, constraints: { bandwidthBps: half / 2 } });
    expect(fits).toMatchObject({ status: 'computed', revision: 9 });
    const tooMuch = await paths.compute({ ...request, constraints: { bandwidthBps: half } });
    expect(tooMuch).toMatchObject({ status: 'no-path', reason: 'insufficient-bandwidth' });
    const urgent = await paths.compute({ ...request, constraints: { bandwidthBps: half }, setupPriority: 6 });
    expect(urgent).toMatchObject({ status: 'computed' });
  });

  it('is answered on a revision of the past, read once', async () => {
    reads = [];
    const answers = [await paths.compute(request, 4), await paths.compute(request, 4)];
    expect(reads).toEqual([4]);
    expect(answers[0]).toEqual(answers[1]);
    expect(answers[0]).toMatchObject({ status: 'computed', revision: 4 });
  });

  it('refuses what cannot be asked for together, naming the field', async () => {
    const refused = (extra: object, field: string) =>
      expect(paths.compute({ ...request, ...extra })).rejects.toMatchObject({
        code: 'request-invalid',
        info: { field },
      });
    await refused({ k: 17, disjoint: 'node' }, '/k');
    await refused({ k: 2, coRouted: 'sum' }, '/k');
    await refused({ disjoint: 'node', coRouted: 'sum' }, '/disjoint');
    const constraints = { bandwidthBps: 1 };
    await refused({ maxLists: 2 }, '/maxLists');
    await refused({ maxLists: 2, constraints, k: 2 }, '/maxLists');
    await refused({ maxLists: 2, constraints, disjoint: 'node' }, '/maxLists');
    await refused({ maxLists: 2, constraints, coRouted: 'sum' }, '/maxLists');
    const protection = { standby: { disjoint: 'link' } };
    await refused({ protection, disjoint: 'node' }, '/protection/standby');
    await refused({ protection, maxLists: 2, constraints }, '/protection/standby');
    await refused({ protection: { detours: ['link'] }, coRouted: 'sum' }, '/protection');
  });

  it.each<[object, string]>([
    [{ include: [{ node: 'R6' }], exclude: { nodes: ['R6'] } }, '/constraints/include/0'],
    [{ include: [{ link: 'R6:R8' }], exclude: { links: ['R6:R8'] } }, '/constraints/include/0'],
    [{ exclude: { nodes: ['R6', request.source] } }, '/constraints/exclude/nodes/1'],
    [{ exclude: { nodes: [request.destination] } }, '/constraints/exclude/nodes/0'],
    [{ affinities: { includeAll: ['a', 'b'], excludeAny: ['b'] } }, '/constraints/affinities/includeAll'],
    [{ affinities: { includeAny: ['a', 'b'], excludeAny: ['b', 'a'] } }, '/constraints/affinities/includeAny'],
    [
      {
        bounds: [
          { metric: 'igp', max: 9 },
          { metric: 'igp', max: 8 },
        ],
      },
      '/constraints/bounds/1',
    ],
  ])('refuses %j, which no network could meet', async (constraints, field) => {
    await expect(paths.compute({ ...request, constraints })).rejects.toMatchObject({
      code: 'request-invalid',
      info: { field },
    });
  });

  it('takes what contradicts a wish', async () => {
    const bounds = [{ metric: 'igp', max: 90 } as const, { metric: 'igp', max: 1 } as const];
    const wish = { ...request, constraints: { bounds }, optional: ['/constraints/bounds/1'] };
    await expect(paths.compute(wish)).resolves.toMatchObject({ status: expect.any(String) as string });
  });

  it('refuses an optional constraint that the request does not have', async () => {
    const bounds = [{ metric: 'igp', max: 10 } as const];
    const optional = ['/constraints/bounds/0', '/constraints/bounds/1'];
    await expect(paths.compute({ ...request, constraints: { bounds }, optional })).rejects.toMatchObject({
      code: 'request-invalid',
      info: {
        field: '/optional/1',
        detail: 'There is no constraint at "/constraints/bounds/1"; there is /constraints/bounds/0.',
      },
    });
  });

  it('passes on that a revision is not there, each time', async () => {
    reads = [];
    for (let i = 0; i < 2; i++) await expect(paths.compute(request, 1)).rejects.toMatchObject({ code: 'not-found' });
    expect(reads).toEqual([1, 1]);
  });

  it('names an id in the constraints of a standby that the topology does not have', async () => {
    const protection = { standby: { disjoint: 'link', constraints: { exclude: { nodes: ['R99'] } } } } as const;
    await expect(paths.compute({ ...request, protection })).rejects.toMatchObject({
      code: 'node-unknown',
      info: { field: '/protection/standby/constraints/exclude/nodes/0' },
    });
  });

  it('names every id that the topology does not have', async () => {
    const asked = paths.compute({
      ...request,
      destination: 'worker9',
      constraints: {
        exclude: { nodes: ['R1', 'R99'], links: ['R1:R9'] },
        include: [{ node: 'R2' }, { link: 'x' }, { node: 'y' }],
      },
    });
    await expect(asked).rejects.toMatchObject({
      code: 'node-unknown',
      info: {
        field: '/destination',
        errors: [
          { field: '/destination', detail: 'There is no node "worker9".' },
          { field: '/constraints/exclude/nodes/1' },
          { field: '/constraints/exclude/links/0' },
          { field: '/constraints/include/1/link' },
          { field: '/constraints/include/2/node' },
        ],
      },
    });
    const link = paths.compute({ ...request, constraints: { exclude: { links: ['nope'] } } });
    await expect(link).rejects.toMatchObject({ code: 'link-unknown', info: { field: '/constraints/exclude/links/0' } });
  });
});

describe('a computation of disjoint paths', () => {
  const member = { source: 'worker1', destination: 'worker2', constraints: {} };

  it('is answered on the revision asked for, with what is booked', async () => {
    const group = { members: [member, member], metric: 'igp', disjoint: ['node'] } as const;
    expect(await paths.computeDisjoint(group)).toMatchObject({ status: 'computed', revision: 9, achieved: ['node'] });
    expect(await paths.computeDisjoint(group, 4)).toMatchObject({
      status: 'no-path',
      revision: 4,
      blockingNodes: ['R7'],
    });
    const bandwidthBps = (newest.links[0]?.bandwidthBps ?? 0) / 2;
    const wide = { ...member, constraints: { bandwidthBps } };
    // Each fits on the links that they have to share, both together do not.
    const both = await paths.computeDisjoint({ ...group, members: [wide, wide] });
    expect(both).toMatchObject({ status: 'no-path', reason: 'insufficient-bandwidth', isProved: true });
  });

  it('says how much one member would have to leave to the other', async () => {
    const bandwidthBps = (newest.links[0]?.bandwidthBps ?? 0) / 2;
    const most = { ...member, constraints: { bandwidthBps: 0.75 * bandwidthBps } };
    const both = await paths.computeDisjoint({ members: [most, most], metric: 'igp', disjoint: ['node'] });
    expect(both.status === 'no-path' && both.conflict).toMatchObject({
      isMinimal: true,
      constraints: [
        { constraint: '/members/0/constraints/bandwidthBps', nearestFeasible: bandwidthBps / 4 },
        { constraint: '/members/1/constraints/bandwidthBps', nearestFeasible: bandwidthBps / 4 },
      ],
    });
  });

  it("holds bandwidth against what is unreserved at the group's setup priority", async () => {
    const bandwidthBps = (newest.links[0]?.bandwidthBps ?? 0) / 2;
    const wide = { ...member, constraints: { bandwidthBps } };
    const group = { members: [wide, wide], metric: 'igp', disjoint: ['node'], setupPriority: 6 } as const;
    expect(await paths.computeDisjoint(group)).toMatchObject({ status: 'computed', achieved: ['node'] });
  });

  it('refuses an optional constraint that the group does not have', async () => {
    const bounded = { ...member, constraints: { bounds: [{ metric: 'igp', max: 10 } as const] } };
    const optional = ['/members/1/constraints/bounds/0', '/members/0/constraints/bounds/0', '/disjoint'];
    const group = { members: [member, bounded], metric: 'igp', disjoint: ['node'], optional } as const;
    await expect(paths.computeDisjoint(group)).rejects.toMatchObject({
      code: 'request-invalid',
      info: {
        field: '/optional/1',
        detail:
          'There is no constraint at "/members/0/constraints/bounds/0"; there is /members/1/constraints/bounds/0, /disjoint.',
      },
    });
  });

  it('names every id that the topology does not have', async () => {
    const stranger = { ...member, destination: 'worker9', constraints: { exclude: { links: ['x'] } } };
    const asked = paths.computeDisjoint({ members: [member, stranger], metric: 'igp', disjoint: ['link'] });
    await expect(asked).rejects.toMatchObject({
      code: 'node-unknown',
      info: {
        field: '/members/1/destination',
        errors: [{ field: '/members/1/destination' }, { field: '/members/1/constraints/exclude/links/0' }],
      },
    });
  });
});

describe('a proof', () => {
  const ends = { headend: 'worker1', destination: 'worker2' };

  it('reads SIDs in any spelling', async () => {
    const sids = ['FCFF:0006:0::1', 'fcff:8:0:0::1', 'fcdd:0:3::4'];
    expect(await paths.prove({ ...ends, sids })).toMatchObject({ ok: true, revision: 9 });
  });

  it('is given on the revision asked for', async () => {
    const sids = ['fcff:8::1', 'fcdd:0:3::4'];
    expect(await paths.prove({ ...ends, sids, revision: 4 })).toMatchObject({ revision: 4 });
  });

  it('says that a SID is unknown, and refuses what is none', async () => {
    const unknown = await paths.prove({ ...ends, sids: ['2001:db8::1'] });
    expect(unknown).toMatchObject({ ok: false, violation: { kind: 'unknown-sid' } });
    await expect(paths.prove({ ...ends, sids: ['fcff:8::1', '10.0.0.1'] })).rejects.toMatchObject({
      code: 'request-invalid',
      info: { field: '/sids/1' },
    });
    await expect(paths.prove({ ...ends, headend: 'nobody', sids: [] })).rejects.toMatchObject({
      code: 'node-unknown',
      info: { field: '/headend' },
    });
  });
});

describe('a computation under an overlay', () => {
  const down = { down: { links: ['R6:R8'] } };

  it('answers what the network would answer that had changed, says so, and changes nothing', async () => {
    const before = await paths.compute(request);
    // Nothing is booked at this priority, nor in the past.
    const { hypothetical, ...answer } = await paths.compute({ ...request, setupPriority: 6 }, undefined, down);
    expect(hypothetical).toEqual({ overlay: down, unroutedDemands: [] });
    expect({ ...answer, revision: 4 }).toEqual(await paths.compute(request, 4));
    expect(answer.revision).toBe(9);
    expect(await paths.compute(request)).toEqual(before);
    const past = await paths.compute(request, 4, { links: [{ link: 'R1:R2', igpMetric: 1 }] });
    expect(past).toMatchObject({ revision: 4, hypothetical: {} });
  });

  it('has what demands leave at the setup priority, of the reservable bandwidth that the overlay gives', async () => {
    const answer = await paths.compute(request);
    const links = answer.status === 'computed' ? (answer.paths[0]?.links ?? []) : [];
    const half = (newest.links[0]?.bandwidthBps ?? 0) / 2;
    const asks = { ...request, constraints: { bandwidthBps: half } };
    const all = newest.links.map(({ id }) => id);
    const demands = [{ links: all, bandwidthBps: 1, priority: 5 }];
    expect(await paths.compute(asks)).toMatchObject({ status: 'computed' });
    expect(await paths.compute(asks, undefined, { demands })).toMatchObject({ reason: 'insufficient-bandwidth' });
    const urgent = { ...asks, setupPriority: 4 };
    expect(await paths.compute(urgent, undefined, { demands })).toMatchObject({ status: 'computed' });
    const wider = links.map((link) => ({ link, reservableBandwidthBps: 4 * half }));
    expect(await paths.compute(asks, undefined, { demands, links: wider })).toMatchObject({ paths: [{ links }] });
    const unrouted = {
      demands: [{ source: 'worker1', destination: 'worker2', bandwidthBps: 1 }],
      down: { nodes: ['worker2'] },
    };
    expect(await paths.compute(request, undefined, unrouted)).toMatchObject({ hypothetical: { unroutedDemands: [0] } });
  });

  it('is a proof or a group of paths, too', async () => {
    const first = await paths.compute(request);
    const sids = first.status === 'computed' ? (first.paths[0]?.segmentLists[0]?.entries ?? []) : [];
    const list = { headend: 'worker1', destination: 'worker2', sids: sids.map(({ address }) => address) };
    expect(await paths.prove(list)).toMatchObject({ ok: true });
    const overlay = { down: { nodes: ['worker2'] } };
    expect(await paths.prove({ ...list, overlay })).toMatchObject({ ok: false, hypothetical: { overlay } });
    const member = { source: 'worker1', destination: 'worker2', constraints: {} };
    const group = { members: [member, member], metric: 'igp', disjoint: ['node'] } as const;
    expect(await paths.computeDisjoint(group, undefined, overlay)).toMatchObject({
      status: 'no-path',
      hypothetical: {},
    });
  });

  it.each([
    [{ down: { links: ['x'] } }, 'link-unknown', '/overlay/down/links/0'],
    [{ down: { nodes: ['R1', 'x'] } }, 'node-unknown', '/overlay/down/nodes/1'],
    [{ down: { srlgs: [4711] } }, 'request-invalid', '/overlay/down/srlgs/0'],
    [{ down: { sites: ['Atlantis'] } }, 'request-invalid', '/overlay/down/sites/0'],
    [{ links: [{ link: 'x' }] }, 'link-unknown', '/overlay/links/0/link'],
    [{ links: [{ link: 'R6:R8' }, { link: 'R6:R8' }] }, 'request-invalid', '/overlay/links/1/link'],
    [
      { links: [{ link: 'R6:R8', affinities: Array.from({ length: 257 }, (_, i) => `a${i}`) }] },
      'request-invalid',
      '/overlay/links',
    ],
    [
      { demands: [{ source: 'R1', destination: 'R1', bandwidthBps: 1 }] },
      'request-invalid',
      '/overlay/demands/0/destination',
    ],
    [{ demands: [{ links: ['x'], bandwidthBps: 1 }] }, 'link-unknown', '/overlay/demands/0/links/0'],
    [
      { demands: [{ source: 'R1', destination: 'x', bandwidthBps: 1 }] },
      'node-unknown',
      '/overlay/demands/0/destination',
    ],
  ])('is refused where the overlay names what is not there: %j', async (overlay, code, field) => {
    await expect(paths.compute(request, undefined, overlay)).rejects.toMatchObject({ code, info: { field } });
  });
});
