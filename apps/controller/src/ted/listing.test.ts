import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ChangeFilter, LinkConstraintFilter, LinkFilter, NodeFilter, SourceFilter } from '../model/filters.js';
import { ringTopology } from '../testing/topology-text.js';
import { createTestDatabase, type TestDatabase } from '../testing/test-database.js';
import { TedService } from './ted-service.js';

const actor = { name: 'test' };

describe('listing the topology', () => {
  let database: TestDatabase;
  let topology: TedService;

  beforeAll(async () => {
    database = await createTestDatabase();
    topology = new TedService({ ...database, clock: () => new Date() });
    await topology.importTopology({ text: ringTopology(), format: 'native', source: 'ring', actor });
    await topology.setLinkConstraints({
      changes: [
        { link: 'r1:r2', constraints: { affinities: ['gold'], srlgs: [7], adminState: 'drained' } },
        { link: 'r2:r3', constraints: { affinities: ['gold', 'silver'] } },
      ],
      mode: 'patch',
      actor,
    });
    await topology.applySourceBatch(
      'igp',
      { sequence: 1, full: false, events: [{ kind: 'node-state', node: 'r4', state: 'down' }] },
      actor,
    );
  });

  afterAll(async () => {
    await database.drop();
  });

  const nodes = async (filter: NodeFilter) =>
    (await topology.nodes(filter, { limit: 100 })).items.map((view) => view.effective.id);
  const links = async (filter: LinkFilter) =>
    (await topology.links(filter, { limit: 100 })).items.map((view) => view.effective.id);

  it('gives every node once over all pages, in the order of ids', async () => {
    const seen: string[] = [];
    let after: string | undefined;
    do {
      const page = await topology.nodes({}, { limit: 4, ...(after !== undefined && { after }) });
      expect(page.items.length).toBeLessThanOrEqual(4);
      seen.push(...page.items.map((view) => view.effective.id));
      after = page.next ?? undefined;
    } while (after !== undefined);
    expect(seen).toEqual(['h1', 'h2', 'r1', 'r2', 'r3', 'r4']);
  });

  it('ends with null when the last page is full', async () => {
    expect((await topology.nodes({}, { limit: 6 })).next).toBeNull();
  });

  it('goes on after an id that has gone since', async () => {
    const page = await topology.nodes({}, { limit: 2, after: 'h3' });
    expect(page.items.map((view) => view.effective.id)).toEqual(['r1', 'r2']);
  });

  it('filters nodes', async () => {
    expect(await nodes({ kind: 'host' })).toEqual(['h1', 'h2']);
    expect(await nodes({ operationalState: 'down' })).toEqual(['r4']);
    expect(await nodes({ adminState: 'drained' })).toEqual([]);
    expect(await nodes({ site: 'nowhere' })).toEqual([]);
  });

  it('filters links', async () => {
    expect(await links({ node: 'h1' })).toEqual(['h1:r1', 'r1:h1']);
    expect(await links({ from: 'r1', to: 'r2' })).toEqual(['r1:r2']);
    expect(await links({ affinity: 'gold' })).toEqual(['r1:r2', 'r2:r3']);
    expect(await links({ affinity: 'gold', srlg: 7 })).toEqual(['r1:r2']);
    expect(await links({ adminState: 'drained' })).toEqual(['r1:r2']);
    expect(await links({ operationalState: 'down' })).toEqual([]);
  });

  it('filters operator settings', async () => {
    const list = async (filter: LinkConstraintFilter) =>
      (await topology.allLinkConstraints(filter, { limit: 100 })).items.map(({ id }) => id);
    expect(await list({})).toEqual(['r1:r2', 'r2:r3']);
    expect(await list({ node: 'r1' })).toEqual(['r1:r2']);
    expect(await list({ from: 'r2' })).toEqual(['r2:r3']);
    expect(await list({ to: 'r1' })).toEqual([]);
    expect(await list({ adminState: 'drained' })).toEqual(['r1:r2']);
    expect(await list({ sets: 'srlgs' })).toEqual(['r1:r2']);
    expect(await list({ sets: 'affinities', node: 'r3' })).toEqual(['r2:r3']);
    expect(await list({ sets: 'delayUs' })).toEqual([]);
  });

  it('filters the change log', async () => {
    const list = async (filter: ChangeFilter) =>
      (await topology.changes(filter, { limit: 100 })).items.map(({ revision }) => revision);
    const all = (await topology.changes({}, { limit: 100 })).items;
    const at = (revision: number) => new Date(all.find((entry) => entry.revision === revision)?.at ?? NaN);
    expect(await list({ kind: 'link-constraints' })).toEqual([2]);
    expect(await list({ kind: 'nothing' })).toEqual([]);
    expect(await list({ actor: 'test' })).toEqual([3, 2, 1]);
    expect(await list({ actor: 'nobody' })).toEqual([]);
    expect(await list({ link: 'r1:r2' })).toEqual([2, 1]);
    expect(await list({ link: 'r3:r4' })).toEqual([1]);
    expect(await list({ node: 'r4' })).toEqual([3, 1]);
    expect(await list({ node: 'r4', kind: 'topology-import' })).toEqual([1]);
    expect(await list({ since: at(2) })).toContain(3);
    expect(await list({ since: at(2) })).not.toContain(1);
    expect(await list({ until: at(2) })).toEqual([1]);
    expect(await list({ since: new Date(at(3).getTime() + 60_000) })).toEqual([]);
  });

  it('filters sources', async () => {
    const list = async (filter: SourceFilter) =>
      (await topology.sources(filter, { limit: 100 })).items.map(({ id }) => id);
    expect(await list({ kind: 'file' })).toEqual(['ring']);
    expect(await list({ held: false })).toEqual(['igp', 'ring']);
    expect(await list({ held: true })).toEqual([]);
    expect(await list({ kind: 'agent' })).toEqual([]);
  });

  it('shows in a node which source says what, SIDs and locators included', async () => {
    const view = await topology.node('r4');
    expect(view.provenance.operationalState).toEqual({ layer: 'discovered', source: 'igp', revision: 3 });
    expect(view.provenance.sids).toEqual({ layer: 'discovered', source: 'ring', revision: 1 });
    expect(view.provenance.site).toBeUndefined();
    const [igp, file] = view.layers;
    expect(file).toMatchObject({
      source: 'ring',
      revision: 1,
      attributes: { kind: 'router', sids: view.effective.sids },
    });
    expect(igp).toEqual({ layer: 'discovered', source: 'igp', revision: 3, attributes: { operationalState: 'down' } });
  });

  it('counts', async () => {
    expect(await topology.head()).toMatchObject({
      revision: 3,
      tedRevision: 3,
      nodes: 6,
      routers: 4,
      hosts: 2,
      links: 12,
    });
  });

  it('lists sources page by page', async () => {
    const first = await topology.sources({}, { limit: 1 });
    expect(first.items.map(({ id, kind }) => [id, kind])).toEqual([['igp', 'events']]);
    const second = await topology.sources({}, { limit: 1, after: first.next ?? '' });
    expect(second).toMatchObject({ items: [{ id: 'ring', kind: 'file', held: null }], next: null });
  });

  it('exports what was discovered; importing that elsewhere makes the same TED', async () => {
    const text = await topology.exportTopology({ syntax: 'json', revision: 1 });
    const elsewhere = await createTestDatabase();
    const copy = new TedService({ ...elsewhere, clock: () => new Date() });
    await copy.importTopology({ text, format: 'native', source: 'copy', actor });
    expect(await copy.ted()).toEqual(await topology.ted(1));
    await elsewhere.drop();
  });

  it('exports operator settings only when asked', async () => {
    expect(await topology.exportTopology({ syntax: 'yaml' })).not.toContain('gold');
    expect(await topology.exportTopology({ syntax: 'yaml', operatorSettings: true })).toContain('gold');
  });
});
