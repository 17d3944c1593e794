import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SourceEvent } from '../model/topology.js';
import { ringTopology } from '../testing/topology-text.js';
import { createTestDatabase, type TestDatabase } from '../testing/test-database.js';
import { TedService } from './ted-service.js';

const actor = { name: 'igp-reader' };

describe('a source of events', () => {
  let database: TestDatabase;
  let topology: TedService;
  let now: Date;
  let sequence: number;

  beforeEach(async () => {
    database = await createTestDatabase();
    now = new Date();
    sequence = 0;
    topology = new TedService({ ...database, clock: () => now });
    await topology.importTopology({ text: ringTopology(), format: 'native', source: 'file', actor });
  });

  afterEach(async () => {
    await database.drop();
  });

  const send = (events: readonly SourceEvent[], full = false) =>
    topology.applySourceBatch('igp', { sequence: ++sequence, full, events }, actor);
  const resend = (events: readonly SourceEvent[], full = false) =>
    topology.applySourceBatch('igp', { sequence, full, events }, actor);
  const state = (link: string, value: 'up' | 'down'): SourceEvent => ({ kind: 'link-state', link, state: value });
  const allLinks = async () => (await topology.ted()).links.map((link) => link.id);
  const down = async () =>
    (await topology.ted()).links.filter((link) => link.operationalState === 'down').map((link) => link.id);
  const wholeView = async (except: readonly string[] = []) =>
    (await allLinks()).filter((id) => !except.includes(id)).map((id) => state(id, 'up'));
  const link = async (id: string) => (await topology.link(id)).effective;
  const pass = (seconds: number) => {
    now = new Date(now.getTime() + seconds * 1_000);
  };

  describe('with events that cannot be', () => {
    const sids = (node: string, ...all: string[]): SourceEvent => ({
      ...{ kind: 'service-sids', node },
      sids: all.map((sid) => ({ sid, behavior: 'End.DT4' })),
    });
    const delays = { kind: 'link-measurement', link: 'r1:r2' } as const;

    it.each<[string, SourceEvent[], string, string]>([
      ['no address', [sids('h1', '10.0.0.1')], 'request-invalid', '/events/0/sids/0/sid'],
      ['a link-local SID', [sids('h1', 'fd00::4', 'fe80::4')], 'request-invalid', '/events/0/sids/1/sid'],
      ['an IPv4 address in IPv6 clothes', [sids('h1', '::ffff:1.2.3.4')], 'request-invalid', '/events/0/sids/0/sid'],
      ['a SID twice', [sids('h1', 'fd00::4', 'FD00:0::4')], 'request-invalid', '/events/0/sids/1/sid'],
      ['a SID of two hosts', [sids('h1', 'fd00::4'), sids('h2', 'fd00::4')], 'sid-conflict', '/events/1/sids/0/sid'],
      ['delays out of order', [{ ...delays, delayMinUs: 9, delayUs: 5 }], 'request-invalid', '/events/0/delayUs'],
      ['a maximum below', [{ ...delays, delayMinUs: 9, delayMaxUs: 5 }], 'request-invalid', '/events/0/delayMaxUs'],
    ])('refuses %s, and changes nothing', async (_, events, code, field) => {
      await expect(send(events)).rejects.toMatchObject({ code, info: { field } });
      expect((await topology.head()).revision).toBe(1);
    });

    it('lets a SID go from one host to another in one batch', async () => {
      const moved = [sids('h1', 'fd00::4'), sids('h1', 'fd00::5'), sids('h2', 'fd00::4')];
      expect(await send(moved)).toMatchObject({ outcome: 'applied' });
    });
  });

  describe('in sequence', () => {
    it('changes the operational state and the IGP metric that routers use', async () => {
      const result = await send([state('r1:r2', 'down'), { kind: 'link-igp-metric', link: 'r2:r1', igpMetric: 77 }]);
      expect(result).toEqual({ outcome: 'applied', sequence: 1, revision: 2 });
      expect(await down()).toEqual(['r1:r2']);
      expect((await link('r2:r1')).igpMetric).toBe(77);
      expect((await topology.changes({}, { limit: 1 })).items[0]?.summary).toBe(
        'igp: link r1:r2 down, link r2:r1 IGP metric 77',
      );
    });

    it('may repeat a batch, which changes nothing', async () => {
      await send([state('r1:r2', 'down')]);
      await send([state('r1:r2', 'up')]);
      const repeated = await topology.applySourceBatch(
        'igp',
        { sequence: 1, full: false, events: [state('r1:r2', 'down')] },
        actor,
      );
      expect(repeated).toEqual({ outcome: 'duplicate', sequence: 2, revision: 3 });
      expect(await down()).toEqual([]);
    });

    it('may not leave a batch out', async () => {
      await send([]);
      sequence = 3;
      await expect(resend([state('r1:r2', 'down')])).rejects.toMatchObject({
        code: 'source-sequence-gap',
        info: { detail: expect.stringContaining('expected is 2') as string },
      });
      expect(await down()).toEqual([]);
    });

    it('makes no revision when it says nothing new, and remembers the sequence', async () => {
      expect(await send([])).toEqual({ outcome: 'applied', sequence: 1, revision: 1 });
      expect(await send([state('r1:r2', 'up')])).toMatchObject({ revision: 2 });
      expect(await send([state('r1:r2', 'up')])).toEqual({ outcome: 'applied', sequence: 3, revision: 2 });
      expect((await topology.source('igp')).lastSequence).toBe(3);
    });

    it('refuses the whole batch for an unknown id, naming the event', async () => {
      const events: SourceEvent[] = [state('r1:r2', 'down'), { kind: 'node-state', node: 'atlantis', state: 'down' }];
      await expect(send(events)).rejects.toMatchObject({ code: 'node-unknown', info: { field: '/events/1/node' } });
      await expect(resend([state('nowhere', 'up')])).rejects.toMatchObject({
        code: 'link-unknown',
        info: { field: '/events/0/link' },
      });
      expect(await down()).toEqual([]);
      await expect(topology.source('igp')).rejects.toMatchObject({ code: 'not-found' });
    });

    it('may not use the id of a file', async () => {
      await expect(
        topology.applySourceBatch('file', { sequence: 1, full: false, events: [] }, actor),
      ).rejects.toMatchObject({ code: 'source-kind-mismatch' });
      await send([]);
      await expect(
        topology.importTopology({ text: ringTopology(), format: 'native', source: 'igp', actor }),
      ).rejects.toMatchObject({ code: 'source-kind-mismatch' });
    });

    it('is counted once when two controllers get the same batch at once', async () => {
      const other = new TedService({ ...database, clock: () => now });
      const batch = { sequence: 1, full: false, events: [state('r1:r2', 'down')] };
      const results = await Promise.all([
        topology.applySourceBatch('igp', batch, actor),
        other.applySourceBatch('igp', batch, actor),
      ]);
      expect(results.map((result) => result.outcome).sort()).toEqual(['applied', 'duplicate']);
      expect((await topology.head()).revision).toBe(2);
    });
  });

  describe('with a full batch', () => {
    it('takes down what it called up before and does not name any more', async () => {
      await send(await wholeView(), true);
      await send(await wholeView(['r1:r2', 'r2:r1']), true);
      expect(await down()).toEqual(['r1:r2', 'r2:r1']);
    });

    it('says nothing of what other sources spoke of', async () => {
      await send([state('r1:r2', 'up'), state('r2:r1', 'up')], true);
      expect(await down()).toEqual([]);
    });
  });

  describe('beside other sources', () => {
    it('is not overruled by a file that changes something else of the link', async () => {
      await send([state('r1:r2', 'down'), { kind: 'link-igp-metric', link: 'r1:r2', igpMetric: 77 }]);
      await topology.importTopology({ text: ringTopology({ delayUs: 9 }), format: 'native', source: 'file', actor });
      expect(await link('r1:r2')).toMatchObject({ delayUs: 9, igpMetric: 77, operationalState: 'down' });
    });

    it('is overruled by a file that sets another value later', async () => {
      await send([{ kind: 'link-igp-metric', link: 'r1:r2', igpMetric: 77 }]);
      await topology.importTopology({ text: ringTopology({ igpMetric: 30 }), format: 'native', source: 'file', actor });
      const view = await topology.link('r1:r2');
      expect(view.effective.igpMetric).toBe(30);
      expect(view.provenance.igpMetric).toEqual({ layer: 'discovered', source: 'file', revision: 3 });
    });

    it('never changes what the operator set', async () => {
      await topology.setLinkConstraints({
        changes: [{ link: 'r1:r2', constraints: { delayUs: 4_000 } }],
        mode: 'patch',
        actor,
      });
      await send([{ kind: 'link-measurement', link: 'r1:r2', delayUs: 20_000, lossPpm: 5_000 }]);
      expect(await link('r1:r2')).toMatchObject({ delayUs: 4_000, lossPpm: 5_000 });
    });
  });

  describe('of measurements', () => {
    const measured = (delayUs: number | null): SourceEvent => ({ kind: 'link-measurement', link: 'r1:r2', delayUs });

    it('goes over what was discovered, until it does not know any more', async () => {
      await send([measured(3_000)]);
      expect(await topology.link('r1:r2')).toMatchObject({
        effective: { delayUs: 3_000 },
        provenance: { delayUs: { layer: 'measured', source: 'igp' } },
      });
      await send([measured(null)]);
      expect((await link('r1:r2')).delayUs).toBe(1_000);
    });

    it('makes no revision of noise, but follows a drift', async () => {
      const { revision } = await send([measured(10_000)]);
      for (const delayUs of [10_300, 9_600, 10_500])
        expect(await send([measured(delayUs)])).toMatchObject({ revision });
      expect(await send([measured(10_501)])).toMatchObject({ revision: revision + 1 });
      expect((await link('r1:r2')).delayUs).toBe(10_501);
    });
  });

  describe('of service SIDs', () => {
    const service = (...sids: readonly string[]): SourceEvent => ({
      kind: 'service-sids',
      node: 'h1',
      sids: sids.map((sid) => ({ sid, behavior: 'End.DT46' })),
    });
    const sidsOf = async (node: string) => (await topology.node(node)).effective.sids.map((sid) => sid.sid);

    it('replaces those it named before, and the planned ones', async () => {
      await send([service('fd00:0:0::1')]);
      expect(await sidsOf('h1')).toEqual(['fd00::1']);
      await send([service('fd00::2')]);
      expect(await sidsOf('h1')).toEqual(['fd00::2']);
    });

    it('gives way to the plan when it has none left', async () => {
      const planned = await sidsOf('h1');
      await send([service('fd00::1')]);
      await send([service()]);
      expect(await sidsOf('h1')).toEqual(planned);
    });

    it('is refused when another node owns one', async () => {
      const [taken] = await sidsOf('h2');
      await expect(send([service('fd00::1', taken ?? '')])).rejects.toMatchObject({
        code: 'sid-conflict',
        info: { field: '/events/0/sids/1/sid' },
      });
    });
  });

  describe('that collapses', () => {
    it('is held and not believed', async () => {
      await send(await wholeView(), true);
      expect(await send([], true)).toMatchObject({ outcome: 'held', sequence: 2 });
      expect(await down()).toEqual([]);
      expect((await topology.source('igp')).held?.reason).toBe('12 of 12 links of igp would be down within 30 s');
      expect((await topology.changes({}, { limit: 1 })).items[0]).toMatchObject({
        kind: 'source-held',
        tedRevision: 2,
      });
    });

    it('is held from its first word', async () => {
      const events = (await allLinks()).slice(0, 7).map((id) => state(id, 'down'));
      expect(await send(events)).toMatchObject({ outcome: 'held' });
    });

    it('loses half of its links and is believed', async () => {
      const events = (await allLinks()).slice(0, 6).map((id) => state(id, 'down'));
      expect(await send(events)).toMatchObject({ outcome: 'applied' });
    });

    it('is held when it collapses node by node', async () => {
      const node = (id: string): SourceEvent => ({ kind: 'node-state', node: id, state: 'down' });
      expect(await send(['r1', 'r2', 'r3'].map(node))).toMatchObject({ outcome: 'applied' });
      expect(await send([node('r4')])).toMatchObject({ outcome: 'held' });
    });

    it('is held when it collapses in pieces within a short time', async () => {
      const ids = await allLinks();
      await send(await wholeView(), true);
      await send(ids.slice(0, 3).map((id) => state(id, 'down')));
      await send(ids.slice(3, 6).map((id) => state(id, 'down')));
      expect(await send([state(ids[6] ?? '', 'down')])).toMatchObject({ outcome: 'held' });
      expect(await down()).toEqual(ids.slice(0, 6));
    });

    it('is believed when links fail one by one over a long time', async () => {
      const ids = await allLinks();
      await send(await wholeView(), true);
      for (const id of ids.slice(0, 7)) {
        pass(31);
        expect(await send([state(id, 'down')])).toMatchObject({ outcome: 'applied' });
      }
    });

    it('is believed when links fail and return', async () => {
      const ids = await allLinks();
      await send(await wholeView(), true);
      for (const id of ids) {
        expect(await send([state(id, 'down')])).toMatchObject({ outcome: 'applied' });
        await send([state(id, 'up')]);
      }
    });

    it('waits, refusing further batches, and says so again for the one that is held', async () => {
      await send(await wholeView(), true);
      await send([], true);
      expect(await resend([], true)).toMatchObject({ outcome: 'held', sequence: 2 });
      await expect(send([state('r1:r2', 'up')])).rejects.toMatchObject({ code: 'source-held' });
      await expect(resend([], true)).rejects.toMatchObject({ code: 'source-held' });
    });

    it('ends its hold by itself when it is whole again', async () => {
      await send(await wholeView(), true);
      await send([], true);
      expect(await send(await wholeView(['r1:r2']), true)).toMatchObject({ outcome: 'applied', sequence: 3 });
      expect((await topology.source('igp')).held).toBeNull();
      expect(await down()).toEqual(['r1:r2']);
    });

    it('is believed once an operator says so, and its next failure is no collapse', async () => {
      await send(await wholeView(), true);
      await send(await wholeView((await allLinks()).slice(0, 8)), true);
      expect(await topology.releaseSource('igp', 'apply', actor)).toMatchObject({ held: null, lastSequence: 2 });
      expect(await down()).toHaveLength(8);
      const [next] = (await allLinks()).slice(8);
      expect(await send([state(next ?? '', 'down')])).toMatchObject({ outcome: 'applied' });
    });

    it('goes on after its batch was discarded', async () => {
      await send(await wholeView(), true);
      await send([], true);
      expect((await topology.releaseSource('igp', 'discard', actor)).held).toBeNull();
      const told = await database.db.selectFrom('audit').selectAll().where('entity', '=', 'source').execute();
      expect(told.at(-1)).toMatchObject({
        ...{ entity_id: 'igp', kind: 'source-released', actor: actor.name, after: { decision: 'discard' } },
        before: {
          heldSince: expect.any(String) as string,
          heldReason: expect.stringContaining('would be down') as string,
        },
      });
      expect(await down()).toEqual([]);
      expect(await send([state('r1:r2', 'down')])).toMatchObject({ outcome: 'applied', sequence: 3 });
      expect(await down()).toEqual(['r1:r2']);
    });

    it('may lose links from the topology while it is held', async () => {
      await send(await wholeView(), true);
      await send((await allLinks()).map((id) => state(id, 'down')));
      await topology.importTopology({
        text: ringTopology({ withoutHost: true }),
        format: 'native',
        source: 'file',
        actor,
      });
      await topology.releaseSource('igp', 'apply', actor);
      expect(await down()).toEqual(await allLinks());
    });

    it('that is not held cannot be released', async () => {
      await expect(topology.releaseSource('igp', 'apply', actor)).rejects.toMatchObject({ code: 'not-found' });
      await send([]);
      await expect(topology.releaseSource('igp', 'apply', actor)).rejects.toMatchObject({ code: 'source-not-held' });
    });
  });
});
