import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AuditLog } from '../access/audit-log.js';
import { createTestDatabase, type TestDatabase } from '../testing/test-database.js';
import { ringTopology } from '../testing/topology-text.js';
import { TedService } from '../ted/ted-service.js';
import type { SrPolicyIntent } from '../model/sr-policy.js';
import { SrPolicyService } from './policy-service.js';

const alice = { name: 'alice' };
const object = { name: 'kubernetes:paris', owner: 'kubernetes:paris/SRPolicy/low-delay' };
const other = { name: 'kubernetes:rome', owner: 'kubernetes:rome/SRPolicy/low-delay' };
const intent: SrPolicyIntent = {
  ...{ headend: 'h1', color: 100, endpoint: 'h2', fallback: 'drop' },
  candidatePaths: [{ discriminator: 1, preference: 100, path: { kind: 'dynamic', metric: 'igp', constraints: {} } }],
};
const mesh = { id: 'all', color: 200, selector: { all: true }, template: intent, overrides: [] } as const;

const unused = () => Promise.reject(new Error('nothing is computed here'));

describe('what an object of a cluster owns', () => {
  let database: TestDatabase;
  let topology: TedService;
  let policies: SrPolicyService;

  beforeEach(async () => {
    database = await createTestDatabase();
    topology = new TedService({ ...database, clock: () => new Date() });
    await topology.importTopology({ text: ringTopology(), format: 'native', source: 'file', actor: alice });
    policies = new SrPolicyService({
      ...{ db: database.db, topology, announceEvents: () => Promise.resolve() },
      ...{ evaluate: unused, dryRuns: { evaluate: unused, bookDemands: unused }, predictDetours: unused },
    });
  });

  afterEach(async () => {
    await database.drop();
  });

  const elsewhere = (owner: string) => ({
    code: 'owned-elsewhere',
    info: { detail: expect.stringContaining(`belongs to ${owner}`) as string },
  });
  const changed = { ...intent, fallback: 'shortest-path' } as const;

  it('is changed and deleted on its behalf only', async () => {
    const { id, version, owner } = await policies.createPolicy(intent, object);
    expect(owner).toBe(object.owner);
    for (const actor of [alice, other]) {
      const refused = elsewhere(object.owner);
      await expect(policies.createPolicy(intent, actor)).rejects.toMatchObject(refused);
      await expect(policies.replacePolicy(id, changed, version, actor)).rejects.toMatchObject(refused);
      await expect(policies.pin(id, version, actor)).rejects.toMatchObject(refused);
      await expect(policies.unpin(id, version, actor)).rejects.toMatchObject(refused);
      await expect(policies.deletePolicy(id, version, actor)).rejects.toMatchObject(refused);
    }
    expect(await policies.createPolicy(intent, object)).toMatchObject({ version });
    const replaced = await policies.replacePolicy(id, changed, version, object);
    expect(replaced).toMatchObject({ owner: object.owner, intent: { fallback: 'shortest-path' } });
    await policies.deletePolicy(id, replaced.version, object);
    expect(await policies.createPolicy(intent, alice)).toMatchObject({ owner: null });
  });

  it('is in the audit with the object, whatever became of it', async () => {
    const told = async (entityId: string) =>
      (await new AuditLog(database.db).entries({ entityId }, { limit: 10 })).items.toReversed();
    const { id, version } = await policies.createPolicy(intent, object);
    await policies.createPolicy(intent, object);
    await expect(policies.deletePolicy(id, version, alice)).rejects.toMatchObject({ code: 'owned-elsewhere' });
    const replaced = await policies.replacePolicy(id, changed, version, object);
    await policies.deletePolicy(id, replaced.version, object);
    const by = { actor: object.name, owner: object.owner, entity: 'sr-policy', credential: null, requestId: null };
    expect(await told(id)).toMatchObject([
      { ...by, kind: 'policy-create', revision: version, before: null, after: intent },
      { ...by, kind: 'policy-replace', revision: replaced.version, before: intent, after: changed },
      { ...by, kind: 'policy-delete', before: changed, after: null },
    ]);

    const all = { ...mesh, overrides: [] };
    const made = await policies.createMesh(all, object);
    const moved = await policies.replaceMesh('all', { ...all, color: 201 }, made.version, object);
    await policies.deleteMesh('all', moved.version, object);
    expect(await told('all')).toMatchObject([
      { entity: 'mesh', kind: 'mesh-create', before: null, after: { color: 200 } },
      { kind: 'mesh-replace', before: { color: 200 }, after: { color: 201 } },
      { kind: 'mesh-delete', owner: object.owner, before: { color: 201 }, after: null },
    ]);

    const drain = { changes: [{ link: 'r1:r2', constraints: { adminState: 'drained' } }], mode: 'replace' } as const;
    await topology.setLinkConstraints({ ...drain, actor: object });
    expect(await told('r1:r2')).toMatchObject([{ owner: object.owner, after: { adminState: 'drained' } }]);
  });

  it('is not taken from operators', async () => {
    await policies.createPolicy(intent, alice);
    await expect(policies.createPolicy(intent, object)).rejects.toMatchObject({ code: 'already-exists' });
    await policies.createMesh({ ...mesh, overrides: [] }, alice);
    await expect(policies.createMesh({ ...mesh, overrides: [] }, object)).rejects.toMatchObject({
      code: 'already-exists',
    });
  });

  it('may be a mesh, and with it its policies', async () => {
    const { version, owner } = await policies.createMesh({ ...mesh, overrides: [] }, object);
    expect(owner).toBe(object.owner);
    const refused = elsewhere(object.owner);
    await expect(policies.replaceMesh('all', { ...mesh, color: 201 }, version, alice)).rejects.toMatchObject(refused);
    await expect(policies.deleteMesh('all', version, alice)).rejects.toMatchObject(refused);
    const member = await policies.policy('h1:200:h2');
    await expect(policies.unpin(member.id, member.version, alice)).rejects.toMatchObject(refused);
    await policies.deleteMesh('all', version, object);
    expect(await policies.createMesh({ ...mesh, overrides: [] }, alice)).toMatchObject({ owner: null });
  });

  it('may be what is set of a link', async () => {
    const set = (link: string, constraints: object, actor: { name: string; owner?: string }) =>
      topology.setLinkConstraints({ changes: [{ link, constraints }], mode: 'replace', actor });
    const { settings } = await set('r1:r2', { adminState: 'drained' }, object);
    expect(settings).toMatchObject([{ id: 'r1:r2', owner: object.owner }]);
    for (const actor of [alice, other]) {
      await expect(set('r1:r2', { adminState: 'up' }, actor)).rejects.toMatchObject(elsewhere(object.owner));
    }
    await set('r2:r3', { delayUs: 5 }, alice);
    await expect(set('r2:r3', { delayUs: 5 }, object)).rejects.toMatchObject({ code: 'already-exists' });
    expect((await topology.allLinkConstraints({}, { limit: 10 })).items).toMatchObject([
      { id: 'r1:r2', owner: object.owner },
      { id: 'r2:r3', owner: null },
    ]);
    await set('r1:r2', {}, object);
    expect(await set('r1:r2', { delayUs: 5 }, alice)).toMatchObject({ settings: [{ owner: null }] });
  });
});
