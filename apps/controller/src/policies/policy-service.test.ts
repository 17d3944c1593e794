import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sql } from 'kysely';
import { Problem } from '../model/errors.js';
import type { MeshIntent, SrPolicyIntent } from '../model/sr-policy.js';
import { PolicyHarness } from '../testing/policy-harness.js';
import { diamond, lowestDelay } from '../testing/sketched-network.js';

const actor = { name: 'operator' };
let harness: PolicyHarness;

beforeAll(async () => {
  harness = await PolicyHarness.create(diamond());
  await harness.lead();
});

afterAll(() => harness.stop());

function policy(more: Partial<SrPolicyIntent> = {}): SrPolicyIntent {
  return { headend: 'h1', color: 1, endpoint: 'h2', fallback: 'drop', candidatePaths: [lowestDelay()], ...more };
}

async function problem(work: Promise<unknown>): Promise<{ code: string; fields: (string | undefined)[] }> {
  try {
    await work;
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return { code: error.code, fields: error.info.errors?.map(({ field }) => field) ?? [error.info.field] };
  }
  throw new Error('accepted');
}

async function revisions(): Promise<number> {
  const { revision } = await harness.database.db.selectFrom('head').select('revision').executeTakeFirstOrThrow();
  return revision;
}

const explicit = (...sids: string[]) => ({
  discriminator: 1,
  preference: 1,
  path: { kind: 'explicit' as const, segmentLists: [{ weight: 1, sids }] },
});

describe('an intent that makes no sense', () => {
  it.each<[string, SrPolicyIntent, string, string[]]>([
    ['unknown headend', policy({ headend: 'nowhere' }), 'node-unknown', ['/headend']],
    ['unknown endpoint', policy({ endpoint: 'nowhere' }), 'node-unknown', ['/endpoint']],
    ['headend as endpoint', policy({ endpoint: 'h1' }), 'request-invalid', ['/endpoint']],
    ['color out of range', policy({ color: 0 }), 'request-invalid', ['/color']],
    ['no candidate path', policy({ candidatePaths: [] }), 'request-invalid', ['/candidatePaths']],
    [
      'the same discriminator and preference twice',
      policy({ candidatePaths: [lowestDelay(), lowestDelay()] }),
      'request-invalid',
      ['/candidatePaths/1/discriminator', '/candidatePaths/1/preference'],
    ],
    [
      'a SID that is no IPv6 address',
      policy({ candidatePaths: [explicit('fd00::1', '10.0.0.1')] }),
      'request-invalid',
      ['/candidatePaths/0/path/segmentLists/0/sids/1'],
    ],
    [
      'constraints that contradict each other',
      policy({ candidatePaths: [lowestDelay({ include: [{ node: 'a' }], exclude: { nodes: ['a', 'h2'] } })] }),
      'request-invalid',
      ['/candidatePaths/0/path/constraints/exclude/nodes/1', '/candidatePaths/0/path/constraints/include/0'],
    ],
    [
      'prefixes that no router forwards packets to',
      policy({ steeredPrefixes: ['fe80::/10', 'ff02::/16', '224.0.0.0/8', '::ffff:10.0.0.0/104', '127.0.0.0/8'] }),
      'request-invalid',
      [0, 1, 2, 3, 4].map((index) => `/steeredPrefixes/${index}`),
    ],
    [
      'several lists without a bandwidth to split',
      policy({
        candidatePaths: [
          { discriminator: 1, preference: 1, path: { kind: 'dynamic', metric: 'delay', constraints: {}, maxLists: 2 } },
        ],
      }),
      'request-invalid',
      ['/candidatePaths/0/path/maxLists'],
    ],
    [
      'a standby for a demand over several lists',
      policy({
        candidatePaths: [
          {
            discriminator: 1,
            preference: 1,
            path: {
              kind: 'dynamic',
              metric: 'delay',
              constraints: { bandwidthBps: 1 },
              maxLists: 2,
              standby: { disjoint: 'node' },
            },
          },
        ],
      }),
      'request-invalid',
      ['/candidatePaths/0/path/standby'],
    ],
    [
      'unknown elements in constraints of a standby',
      policy({
        candidatePaths: [
          {
            discriminator: 1,
            preference: 1,
            path: {
              kind: 'dynamic',
              metric: 'delay',
              constraints: {},
              standby: { disjoint: 'node', constraints: { exclude: { nodes: ['nowhere'] } } },
            },
          },
        ],
      }),
      'node-unknown',
      ['/candidatePaths/0/path/standby/constraints/exclude/nodes/0'],
    ],
    [
      'a prefix with host bits',
      policy({ steeredPrefixes: ['10.2.0.1/16'] }),
      'request-invalid',
      ['/steeredPrefixes/0'],
    ],
    [
      'the same prefix twice in two spellings',
      policy({ steeredPrefixes: ['fd10:2::/64', 'fd10:2:0::/64'] }),
      'request-invalid',
      ['/steeredPrefixes/1'],
    ],
    [
      'unknown elements in constraints',
      policy({ candidatePaths: [lowestDelay({ exclude: { links: ['x:y'] }, include: [{ node: 'z' }] })] }),
      'node-unknown',
      ['/candidatePaths/0/path/constraints/exclude/links/0', '/candidatePaths/0/path/constraints/include/0/node'],
    ],
  ])('is refused, naming the field: %s', async (_what, intent, code, fields) => {
    const before = await revisions();
    expect(await problem(harness.service.createPolicy(intent, actor))).toEqual({ code, fields });
    expect(await revisions()).toBe(before);
  });

  it('is refused for a mesh too', async () => {
    const mesh: MeshIntent = {
      id: 'm',
      color: 1,
      selector: { nodes: ['a', 'nowhere'] },
      template: { candidatePaths: [], fallback: 'drop' },
      overrides: [],
    };
    expect(await problem(harness.service.createMesh(mesh, actor))).toEqual({
      code: 'request-invalid',
      fields: ['/selector/nodes/0', '/selector/nodes/1', '/template/candidatePaths'],
    });
  });
});

describe('versions and keys', () => {
  it('guards every change by the version that was read', async () => {
    const created = await harness.service.createPolicy(policy({ color: 100, name: 'first' }), actor);
    expect(created).toMatchObject({ id: 'h1:100:h2', pinned: false, canRollBack: false, mesh: null });
    expect(created.intent).toEqual(policy({ color: 100, name: 'first' }));
    expect(await problem(harness.service.createPolicy(policy({ color: 100 }), actor))).toMatchObject({
      code: 'already-exists',
    });
    const before = await revisions();
    const { version } = await harness.service.createPolicy(policy({ color: 100, name: 'first' }), actor);
    expect(version).toBe(created.version);
    expect(await revisions()).toBe(before);
    const replaced = await harness.service.replacePolicy(
      created.id,
      policy({ color: 100, fallback: 'shortest-path' }),
      created.version,
      actor,
    );
    expect(replaced.version).toBeGreaterThan(created.version);
    expect(replaced.intent).toEqual(policy({ color: 100, fallback: 'shortest-path' }));
    const stale = harness.service.replacePolicy(created.id, policy({ color: 100 }), created.version, actor);
    expect(await problem(stale)).toMatchObject({ code: 'precondition-failed' });
    const deleted = harness.service.deletePolicy(created.id, created.version, actor);
    expect(await problem(deleted)).toMatchObject({ code: 'precondition-failed' });
    await harness.service.deletePolicy(created.id, replaced.version, actor);
    expect(await problem(harness.service.policy(created.id))).toMatchObject({ code: 'not-found' });
  });

  it('keeps the id of a policy what its keys make it', async () => {
    const { id, version } = await harness.service.createPolicy(policy({ color: 101 }), actor);
    const other = harness.service.replacePolicy(id, policy({ color: 102 }), version, actor);
    expect(await problem(other)).toEqual({ code: 'request-invalid', fields: ['/headend'] });
  });

  it('stores addresses in one spelling', async () => {
    const { intent } = await harness.service.createPolicy(
      policy({ color: 103, candidatePaths: [explicit('FD00:0:3:1:0::')], steeredPrefixes: ['FD99:0::/64'] }),
      actor,
    );
    expect(intent.steeredPrefixes).toEqual(['fd99::/64']);
    expect(intent.candidatePaths[0]?.path).toMatchObject({ segmentLists: [{ sids: ['fd00:0:3:1::'] }] });
  });
});

describe('explicit steering', () => {
  it('refuses what another policy of the headend holds, naming it', async () => {
    await harness.service.createPolicy(
      policy({ color: 110, steeredPrefixes: ['10.50.0.0/16', '10.51.0.0/16'] }),
      actor,
    );
    const taken = harness.service.createPolicy(
      policy({ color: 111, steeredPrefixes: ['10.52.0.0/16', '10.51.0.0/16'] }),
      actor,
    );
    await expect(taken).rejects.toMatchObject({
      code: 'prefix-claimed',
      info: { errors: [{ field: '/steeredPrefixes/1', detail: '10.51.0.0/16 is held by h1:110:h2' }] },
    });
    expect(await problem(harness.service.policy('h1:111:h2'))).toMatchObject({ code: 'not-found' });
    await harness.service.createPolicy(policy({ headend: 'h3', color: 111, steeredPrefixes: ['10.51.0.0/16'] }), actor);
  });

  it('lets go of what a replacement no longer names', async () => {
    const { id, version } = await harness.service.createPolicy(
      policy({ color: 112, steeredPrefixes: ['10.60.0.0/16'] }),
      actor,
    );
    await harness.service.replacePolicy(id, policy({ color: 112, steeredPrefixes: ['10.61.0.0/16'] }), version, actor);
    await harness.service.createPolicy(policy({ color: 113, steeredPrefixes: ['10.60.0.0/16'] }), actor);
  });
});

describe('policies of a mesh', () => {
  it('are changed through the mesh, but can be pinned', async () => {
    const intent: MeshIntent = {
      id: 'ring',
      color: 200,
      selector: { sites: ['site-h1', 'site-h2'] },
      template: { candidatePaths: [lowestDelay()], fallback: 'drop' },
      overrides: [{ headend: 'h2', endpoint: 'h1', override: { fallback: 'shortest-path' } }],
    };
    const mesh = await harness.service.createMesh(intent, actor);
    expect(mesh).toMatchObject({ id: 'ring', intent, policies: { total: 2 } });
    await harness.settled();
    const one = await harness.service.policy('h1:200:h2');
    expect(one).toMatchObject({ mesh: 'ring', intent: { fallback: 'drop' } });
    expect((await harness.service.policy('h2:200:h1')).intent.fallback).toBe('shortest-path');
    expect(await problem(harness.service.deletePolicy(one.id, one.version, actor))).toMatchObject({
      code: 'mesh-owned',
    });
    const replaced = harness.service.replacePolicy(one.id, policy({ color: 200 }), one.version, actor);
    expect(await problem(replaced)).toMatchObject({ code: 'mesh-owned' });
    expect((await harness.service.pin(one.id, one.version, actor)).pinned).toBe(true);
    const told = await harness.database.db.selectFrom('audit').selectAll().where('kind', '=', 'policy-pin').execute();
    expect(told).toMatchObject([
      { entity_id: one.id, before: { pinned: null }, after: { pinned: { lists: expect.any(Array) as unknown[] } } },
    ]);
    const meshes = async (filter: Parameters<PolicyHarness['service']['meshes']>[0]) =>
      (await harness.service.meshes(filter, { limit: 10 })).items.map(({ id }) => id);
    expect(await meshes({})).toEqual(['ring']);
    expect(await meshes({ color: 200, node: 'h1', status: 'up' })).toEqual(['ring']);
    expect(await meshes({ color: 201 })).toEqual([]);
    expect(await meshes({ node: 'h3' })).toEqual([]);
    expect(await meshes({ status: 'down' })).toEqual([]);
    const before = await revisions();
    const again = { ...intent, selector: { sites: ['site-h2', 'site-h1'] } };
    expect((await harness.service.createMesh(again, actor)).version).toBe(mesh.version);
    expect(await problem(harness.service.createMesh({ ...intent, color: 202 }, actor))).toMatchObject({
      code: 'already-exists',
    });
    expect(await revisions()).toBe(before);
    // A new template is a new version of each of its policies.
    const { version } = await harness.service.policy('h2:200:h1');
    await harness.service.replaceMesh('ring', { ...intent, overrides: [] }, mesh.version, actor);
    expect((await harness.service.policy('h2:200:h1')).version).toBeGreaterThan(version);
  });
});

describe('pinning without anything to pin', () => {
  it('is refused', async () => {
    const impossible = [lowestDelay({ bounds: [{ metric: 'delay', max: 1 }] })];
    const { id, version } = await harness.service.createPolicy(
      policy({ color: 300, candidatePaths: impossible }),
      actor,
    );
    await harness.settled();
    expect(await problem(harness.service.pin(id, version, actor))).toMatchObject({ code: 'no-lists-to-pin' });
    expect(await problem(harness.service.rollBack(id, version, actor))).toMatchObject({
      code: 'no-lists-to-return-to',
    });
    const same = await harness.service.unpin(id, version, actor);
    expect(same.version).toBe(version);
  });
});

describe('listing', () => {
  it('filters by everything at once and pages without gaps or repetitions', async () => {
    await harness.settled();
    const all = await harness.service.policies({}, { limit: 1000 });
    expect(all.next).toBeNull();
    const ids = all.items.map(({ id }) => id);
    expect(ids).toEqual([...ids].sort());
    const paged: string[] = [];
    for (let after: string | undefined; ;) {
      const page = await harness.service.policies({}, { limit: 2, ...(after === undefined ? {} : { after }) });
      paged.push(...page.items.map(({ id }) => id));
      if (page.next === null) break;
      after = page.next;
    }
    expect(paged).toEqual(ids);

    const list = async (filter: Parameters<PolicyHarness['service']['policies']>[0]) =>
      (await harness.service.policies(filter, { limit: 1000 })).items;
    expect((await list({ headend: 'h2' })).every(({ intent }) => intent.headend === 'h2')).toBe(true);
    expect((await list({ mesh: 'ring' })).map(({ id }) => id)).toEqual(['h1:200:h2', 'h2:200:h1']);
    expect((await list({ pinned: true })).map(({ id }) => id)).toEqual(['h1:200:h2']);
    expect((await list({ pinned: false, mesh: 'ring' })).map(({ id }) => id)).toEqual(['h2:200:h1']);
    expect((await list({ status: 'fallback' })).map(({ id }) => id)).toEqual(['h1:300:h2']);
    const through = await list({ usesNode: 'b', usesLink: 'b:d', endpoint: 'h2', color: 200 });
    expect(through.map(({ id }) => id)).toEqual(['h1:200:h2']);
    expect(await list({ usesLink: 'no:where' })).toEqual([]);
    expect(await list({ install: 'failed' })).toEqual([]);
    expect((await list({ install: 'pending' })).length).toBeGreaterThan(3);
  });
});

describe('binding SIDs of deleted policies', () => {
  it('are kept out of use until their quarantine is over', async () => {
    await harness.meetAgent('h2');
    const first = await harness.service.createPolicy(policy({ headend: 'h2', endpoint: 'h3' }), actor);
    await harness.settled();
    const sids = async (id: string) => (await harness.service.policy(id)).state?.bindingSids.map(({ sid }) => sid);
    const before = await sids(first.id);
    await harness.service.deletePolicy(first.id, first.version, actor);
    const again = await harness.service.createPolicy(policy({ headend: 'h2', endpoint: 'h3' }), actor);
    await harness.settled();
    await harness.service.deletePolicy(again.id, again.version, actor);
    await harness.settled();
    await harness.ack('h2');
    await harness.service.createPolicy(policy({ headend: 'h2', endpoint: 'h3', color: 2 }), actor);
    await harness.settled();
    expect(await sids('h2:2:h3')).not.toEqual(before);
    await sql`update bsid set quarantined_until = now() where policy_id is null`.execute(harness.database.db);
    await harness.service.createPolicy(policy({ headend: 'h2', endpoint: 'h3', color: 3 }), actor);
    await harness.settled();
    expect(await sids('h2:3:h3')).toEqual(before);
  });
});
