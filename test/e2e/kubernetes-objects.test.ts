import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  apiVersion,
  customResourceDefinition,
  customResourceKinds,
  type Condition,
} from '@waymark/kubernetes-resources';
import type { KubeObject } from '@waymark/kubernetes-stand-in';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../../apps/controller/src/testing/eventually.js';
import { openApiServer, type TestApiServer } from '../../packages/kubernetes-stand-in/src/testing/test-api-server.js';
import { startSystem, type StartedSystem } from '../started-system.js';

interface Status {
  readonly observedGeneration?: number;
  readonly conditions?: readonly Condition[];
  readonly [field: string]: unknown;
}

const dynamic = (constraints: object = {}) => ({
  discriminator: 1,
  path: { kind: 'dynamic', metric: 'delay', constraints },
});

// The demo topology, with dry-run agents, and a cluster whose objects ask for policies in it.
describe('objects of a cluster', () => {
  let server: TestApiServer;
  let system: StartedSystem;
  let directory: string;

  beforeAll(async () => {
    server = await openApiServer(customResourceKinds.map(customResourceDefinition));
    directory = mkdtempSync(join(tmpdir(), 'waymark-objects-'));
    writeFileSync(join(directory, 'kubeconfig'), server.kubeconfig);
    const file = join(directory, 'kubernetes.json');
    const cluster = { name: 'paris', kubeconfig: join(directory, 'kubeconfig'), resources: true };
    writeFileSync(file, JSON.stringify({ clusters: [cluster] }));
    system = await startSystem({ WAYMARK_KUBERNETES: file });
    await system.settled();
  }, 240_000);

  afterAll(async () => {
    await system.stop();
    await server.close();
    rmSync(directory, { recursive: true });
  });

  const create = async (kind: string, name: string, spec: object) =>
    server.create({ apiVersion, kind, metadata: { name }, spec });
  const change = async (kind: string, name: string, spec: object) => {
    const { metadata } = (await find(kind, name)) as KubeObject;
    await server.replace({ apiVersion, kind, metadata, spec });
  };
  const find = async (kind: string, name: string) => server.find(apiVersion, kind, name);
  const statusOf = async (kind: string, name: string) => ((await find(kind, name))?.['status'] ?? {}) as Status;
  const condition = async (kind: string, name: string, type: string) =>
    (await statusOf(kind, name)).conditions?.find((one) => one.type === type);
  const shows = (kind: string, name: string, ...expected: readonly (readonly [string, string, string])[]) =>
    eventually(async () => {
      const generation = (await find(kind, name))?.metadata.generation;
      for (const [type, status, reason] of expected) {
        expect(await condition(kind, name, type)).toMatchObject({ status, reason, observedGeneration: generation });
      }
    }, 30_000);
  const rest = async (path: string, init?: RequestInit) => {
    const response = await fetch(system.url + path, init);
    const text = await response.text();
    return { status: response.status, body: text === '' ? null : (JSON.parse(text) as Record<string, unknown>) };
  };

  it('become policies, say how far they have come, and are withdrawn before they go', async () => {
    await create('PathProfile', 'low-latency', { candidatePaths: [dynamic()] });
    await create('SRPolicy', 'london-athens', {
      headend: 'dc-london',
      color: 900,
      endpoint: 'dc-athens',
      profile: 'low-latency',
    });
    await shows(
      'SRPolicy',
      'london-athens',
      ['Accepted', 'True', 'Accepted'],
      ['Computed', 'True', 'ConstraintsMet'],
      ['Installed', 'True', 'Simulated'],
    );
    const id = 'dc-london:900:dc-athens';
    expect(await statusOf('SRPolicy', 'london-athens')).toMatchObject({
      policyId: id,
      state: 'up',
      activeCandidatePath: 1,
    });
    await shows('PathProfile', 'low-latency', ['Accepted', 'True', 'Accepted']);
    await eventually(async () => {
      expect(await statusOf('PathProfile', 'low-latency')).toMatchObject({ users: 1 });
    }, 10_000);
    const owner = 'kubernetes:paris/SRPolicy/london-athens';
    expect((await rest(`/v1/sr-policies/${id}`)).body).toMatchObject({ owner });
    const refused = await rest(`/v1/sr-policies/${id}`, { method: 'DELETE', headers: { 'if-match': '*' } });
    expect(refused).toMatchObject({ status: 409, body: { code: 'owned-elsewhere' } });
    const told = (await server.list('v1', 'Event')).map((event) => (event as { reason?: string }).reason);
    expect(told).toEqual(expect.arrayContaining(['Accepted', 'ConstraintsMet', 'Simulated']));

    expect(await server.delete(apiVersion, 'SRPolicy', 'london-athens')).toBe(false);
    await eventually(async () => {
      expect(await find('SRPolicy', 'london-athens')).toBeUndefined();
    }, 30_000);
    expect((await rest(`/v1/sr-policies/${id}`)).status).toBe(404);
    await system.settled();
    expect((await rest('/v1/agents/dc-london')).body).toMatchObject({ inSync: true, policies: { failed: 0 } });
  }, 120_000);

  it('follow their profile, and the endpoint that they name', async () => {
    await create('PathProfile', 'shared', { candidatePaths: [dynamic()] });
    await create('SRPolicy', 'moving', { headend: 'dc-london', color: 901, endpoint: 'dc-athens', profile: 'shared' });
    await shows('SRPolicy', 'moving', ['Computed', 'True', 'ConstraintsMet']);
    await change('PathProfile', 'shared', { candidatePaths: [dynamic({ bounds: [{ metric: 'delay', max: 1 }] })] });
    await shows('SRPolicy', 'moving', ['Computed', 'False', 'OnFallback']);
    await change('SRPolicy', 'moving', {
      headend: 'dc-london',
      color: 902,
      endpoint: 'dc-athens',
      candidatePaths: [dynamic()],
    });
    await shows('SRPolicy', 'moving', ['Computed', 'True', 'ConstraintsMet']);
    await eventually(async () => {
      expect((await rest('/v1/sr-policies/dc-london:901:dc-athens')).status).toBe(404);
    }, 10_000);
  }, 120_000);

  it('take their prefixes along to another color', async () => {
    const spec = {
      headend: 'dc-london',
      endpoint: 'dc-madrid',
      candidatePaths: [dynamic()],
      steeredPrefixes: ['10.99.0.0/24'],
    };
    await create('SRPolicy', 'painted', { ...spec, color: 910 });
    await shows('SRPolicy', 'painted', ['Installed', 'True', 'Simulated']);
    await change('SRPolicy', 'painted', { ...spec, color: 911 });
    await shows('SRPolicy', 'painted', ['Accepted', 'True', 'Accepted'], ['Installed', 'True', 'Simulated']);
    expect(await statusOf('SRPolicy', 'painted')).toMatchObject({ policyId: 'dc-london:911:dc-madrid' });
    expect((await rest('/v1/sr-policies/dc-london:910:dc-madrid')).status).toBe(404);
  }, 60_000);

  it('may be a mesh, and constraints of links', async () => {
    await create('PolicyMesh', 'gold', {
      color: 903,
      selector: { nodes: ['dc-london', 'dc-athens', 'dc-madrid'] },
      candidatePaths: [dynamic()],
    });
    await shows('PolicyMesh', 'gold', ['Computed', 'True', 'AllUp'], ['Installed', 'True', 'AllReadBack']);
    expect(await statusOf('PolicyMesh', 'gold')).toMatchObject({ meshId: 'gold', policies: { total: 6, up: 6 } });
    await create('LinkConstraint', 'drain', { links: ['UK:FR', 'FR:UK'], constraints: { adminState: 'drained' } });
    await shows('LinkConstraint', 'drain', ['Accepted', 'True', 'Accepted']);
    expect((await rest('/v1/links/UK:FR/constraints')).body).toMatchObject({
      constraints: { adminState: 'drained' },
      owner: 'kubernetes:paris/LinkConstraint/drain',
    });
    await change('LinkConstraint', 'drain', { links: ['UK:FR'], constraints: { delayUs: 9_000 } });
    await eventually(async () => {
      expect((await rest('/v1/links/FR:UK/constraints')).body).toMatchObject({ constraints: {}, owner: null });
    }, 10_000);
    for (const [kind, name] of [
      ['LinkConstraint', 'drain'],
      ['PolicyMesh', 'gold'],
    ] as const) {
      await server.delete(apiVersion, kind, name);
      await eventually(async () => {
        expect(await find(kind, name)).toBeUndefined();
      }, 30_000);
    }
    expect((await rest('/v1/links/UK:FR/constraints')).body).toMatchObject({ constraints: {}, owner: null });
    expect((await rest('/v1/meshes/gold')).status).toBe(404);
  }, 120_000);

  it('are told why they are not accepted, and served as soon as they can be', async () => {
    await create('SRPolicy', 'nowhere', { headend: 'dc-london', color: 904, endpoint: 'dc-atlantis', profile: 'late' });
    await shows('SRPolicy', 'nowhere', ['Accepted', 'False', 'ProfileNotFound']);
    await create('PathProfile', 'late', { candidatePaths: [dynamic()] });
    await shows('SRPolicy', 'nowhere', ['Accepted', 'False', 'UnknownNode']);
    await change('SRPolicy', 'nowhere', { headend: 'dc-london', color: 904, endpoint: 'dc-athens', profile: 'late' });
    await shows('SRPolicy', 'nowhere', ['Accepted', 'True', 'Accepted']);
    await create('SRPolicy', 'twice', { headend: 'dc-london', color: 904, endpoint: 'dc-athens', profile: 'late' });
    await shows('SRPolicy', 'twice', ['Accepted', 'False', 'Conflict']);
    expect((await condition('SRPolicy', 'twice', 'Accepted'))?.message).toContain('kubernetes:paris/SRPolicy/nowhere');
    await server.delete(apiVersion, 'SRPolicy', 'nowhere');
    await eventually(async () => {
      expect(await find('SRPolicy', 'nowhere')).toBeUndefined();
    }, 30_000);
    await server.delete(apiVersion, 'SRPolicy', 'twice');
    await eventually(async () => {
      expect(await find('SRPolicy', 'twice')).toBeUndefined();
    }, 30_000);
  }, 120_000);

  it('are not written to when nothing about them changes', async () => {
    await create('SRPolicy', 'quiet', {
      headend: 'dc-london',
      color: 905,
      endpoint: 'dc-athens',
      candidatePaths: [dynamic()],
    });
    await shows('SRPolicy', 'quiet', ['Installed', 'True', 'Simulated']);
    await system.settled();
    const { resourceVersion } = (await find('SRPolicy', 'quiet'))?.metadata ?? {};
    // Everything is listed and looked at anew.
    const lists = () => server.calls.count('list srpolicies.waymark.dev');
    const before = lists();
    const writes = server.calls.count('patch srpolicies.waymark.dev/status');
    server.faults.compact();
    server.faults.expireWatches();
    await eventually(() => {
      expect(lists()).toBeGreaterThan(before);
    }, 20_000);
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    expect(server.calls.count('patch srpolicies.waymark.dev/status')).toBe(writes);
    expect((await find('SRPolicy', 'quiet'))?.metadata.resourceVersion).toBe(resourceVersion);
  }, 60_000);
});
