import { sql } from 'kysely';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { EventBus } from '../model/ports.js';
import type { WaymarkEvent } from '../model/events.js';
import { ringTopology } from '../testing/topology-text.js';
import { createTestDatabase, type TestDatabase } from '../testing/test-database.js';
import { announceChanges } from './announce-changes.js';
import { TedService } from './ted-service.js';

const actor = { name: 'test' };

describe('two controllers on one database', () => {
  let database: TestDatabase;
  let here: TedService;
  let there: TedService;

  beforeEach(async () => {
    database = await createTestDatabase();
    here = new TedService({ ...database, clock: () => new Date() });
    there = new TedService({ ...database, clock: () => new Date() });
    await Promise.all([here.start(), there.start()]);
  });

  afterEach(async () => {
    await Promise.all([here.stop(), there.stop()]);
    await database.drop();
  });

  const load = (service: TedService, igpMetric = 10) =>
    service.importTopology({ text: ringTopology({ igpMetric }), format: 'native', source: 'ring', actor });

  it('see at once what they wrote themselves', async () => {
    await load(here);
    expect((await here.ted()).nodes).toHaveLength(6);
  });

  it('hear of what the other wrote, with the TED of it in memory', async () => {
    const heard = new Promise<number>((done) => there.onRevision(({ tedRevision }) => done(tedRevision)));
    await load(here);
    expect(await heard).toBe(1);
    const ted = await there.ted();
    expect(ted).toEqual(await here.ted());
    expect(await there.ted()).toBe(ted);
    expect(Object.isFrozen(ted) && Object.isFrozen(ted.nodes) && Object.isFrozen(ted.nodes[0]?.sids)).toBe(true);
  });

  it('read the truth while notifications are cut off', async () => {
    await load(here);
    await sql`
      select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and query like 'select revision, ted_revision from head%'
    `.execute(database.db);
    await load(here, 20);
    await vi.waitFor(async () => {
      expect((await there.ted()).revision).toBe(2);
    });
  });

  it('write at the same time, and end with the same TED as one that reads it all anew', async () => {
    await load(here);
    const constraints = (service: TedService, link: string, delayUs: number) =>
      service.setLinkConstraints({ changes: [{ link, constraints: { delayUs } }], mode: 'patch', actor });
    await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        index % 2 === 0
          ? constraints(here, 'r1:r2', 100 + index)
          : index % 3 === 0
            ? load(there, index)
            : constraints(there, 'r2:r3', 100 + index),
      ),
    );
    const anew = await new TedService({ ...database, clock: () => new Date() }).ted();
    await vi.waitFor(async () => {
      expect(await here.ted()).toEqual(anew);
      expect(await there.ted()).toEqual(anew);
    });
  });

  it('agree also when a change is so large that it is built aside, and others write meanwhile', async () => {
    const id = (index: number) => `n${index}`;
    const chain = (igpMetric: number) =>
      JSON.stringify({
        waymark: 1,
        nodes: Array.from({ length: 400 }, (_, index) => ({ id: id(index) })),
        links: Array.from({ length: 399 }, (_, index) => ({ between: [id(index), id(index + 1)], igpMetric })),
      });
    const loadChain = (service: TedService, igpMetric: number) =>
      service.importTopology({ text: chain(igpMetric), format: 'native', source: 'chain', actor });
    const constrain = (service: TedService, delayUs: number) =>
      service.setLinkConstraints({ changes: [{ link: 'n0:n1', constraints: { delayUs } }], mode: 'patch', actor });
    await loadChain(here, 1);
    await Promise.all([
      ...[2, 3, 4].flatMap((value) => [constrain(here, value), loadChain(there, value), constrain(there, 10 * value)]),
      loadChain(here, 5),
    ]);
    const anew = await new TedService({ ...database, clock: () => new Date() }).ted();
    expect(anew.links).toHaveLength(798);
    expect(await here.ted()).toEqual(anew);
    expect(await there.ted()).toEqual(anew);
    expect(await loadChain(here, anew.links[0]?.igpMetric ?? 0)).toMatchObject({ changed: false });
  });

  it('wait for the head with every connection of the pool, and all get their turn', async () => {
    await load(here);
    const changes = Array.from({ length: 30 }, (_, index) =>
      here.setLinkConstraints({
        changes: [{ link: 'r1:r2', constraints: { delayUs: index } }],
        mode: 'patch',
        actor,
      }),
    );
    expect(new Set((await Promise.all(changes)).map(({ revision }) => revision)).size).toBe(30);
  });

  it('tell their watchers of changes and of held sources, whoever made them', async () => {
    const events: WaymarkEvent[] = [];
    const bus: EventBus = {
      emit: (event) => events.push(event),
      gap: () => undefined,
      subscribe: () => () => undefined,
    };
    const end = await announceChanges(database.db, there, bus);
    await load(here);
    const links = (await here.ted()).links.map((link) => link.id);
    const batch = links.map((link) => ({ kind: 'link-state', link, state: 'down' }) as const);
    await here.applySourceBatch('igp', { sequence: 1, full: false, events: batch }, actor);
    await vi.waitFor(() => {
      expect(events.map((event) => event.type)).toEqual(['topology.changed', 'source.held']);
    });
    await here.releaseSource('igp', 'apply', actor);
    await vi.waitFor(() => {
      expect(events.slice(2).map((event) => event.type)).toEqual(['topology.changed', 'source.released']);
    });
    expect(events[0]?.data).toMatchObject({ revision: 1, tedRevision: 1, kind: 'topology-import' });
    end();
  });
});
