import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../testing/test-database.js';
import { TedService } from '../ted/ted-service.js';
import { changeEvents, type Moment } from './change-events.js';
import type { ChangedElement } from './tell-changes.js';

const alice = { name: 'alice' };
const link = (id: string): ChangedElement => ({ kind: 'link', id });
const node = (id: string): ChangedElement => ({ kind: 'node', id });
let database: TestDatabase;
let ted: TedService;

beforeEach(async () => {
  database = await createTestDatabase();
  ted = new TedService({ db: database.db, url: database.url, clock: () => new Date() });
  await ted.start();
  await load(1000);
});

afterEach(async () => {
  await ted.stop();
  await database.drop();
});

function load(delayUs: number) {
  const nodes = ['a', 'b', 'c'].map((id) => ({ id, kind: 'router' }));
  const links = [
    { between: ['a', 'b'], delayUs },
    { between: ['b', 'c'], delayUs: 10 },
  ];
  const text = JSON.stringify({ waymark: 1, nodes, links });
  return ted.importTopology({ text, format: 'native', source: 'wan', actor: alice });
}

async function now(): Promise<Moment> {
  const { revision } = await ted.head();
  return { revision, ted: await ted.ted() };
}

function say(sequence: number, id: string, state: 'up' | 'down') {
  const events = [{ kind: 'link-state' as const, link: id, state }];
  return ted.applySourceBatch('igp', { sequence, full: false, events }, { name: 'anonymous' });
}

async function told(before: Moment, elements: readonly ChangedElement[]) {
  const eventOf = await changeEvents(database.db, before, await now(), elements);
  const { by, revision, summary, kind } = eventOf(elements);
  return { by, revision, summary, kind };
}

describe('the event behind a change of the topology', () => {
  it('names the source, the import, or the operator', async () => {
    const first = await now();
    await say(1, 'a:b', 'down');
    expect(await told(first, [link('a:b')])).toEqual({
      by: 'source igp',
      revision: first.revision + 1,
      summary: 'link a:b went down',
      kind: 'source-events',
    });
    const second = await now();
    await load(2000);
    expect(await told(second, [link('a:b')])).toMatchObject({
      by: 'import of source wan by operator alice',
      summary: 'link a:b has delay 2000 us instead of 1000 us',
    });
    const third = await now();
    await ted.setNodeConstraints({ node: 'b', constraints: { adminState: 'drained' }, mode: 'patch', actor: alice });
    // Every link of the node owes its new standing to the node.
    expect(await told(third, [link('b:c'), link('c:b')])).toMatchObject({
      by: 'operator alice',
      revision: third.revision + 1,
      summary: 'node b was drained',
    });
  });

  it('finds the right one among several revisions, and the first of those that belong together', async () => {
    const before = await now();
    await say(1, 'b:c', 'down');
    await ted.setLinkConstraints({
      changes: [{ link: 'a:b', constraints: { delayUs: 5 } }],
      mode: 'patch',
      actor: alice,
    });
    await say(2, 'c:b', 'down');
    expect(await told(before, [link('a:b')])).toMatchObject({ by: 'operator alice', revision: before.revision + 2 });
    expect(await told(before, [link('c:b')])).toMatchObject({ by: 'source igp', revision: before.revision + 3 });
    expect(await told(before, [link('c:b'), link('b:c')])).toMatchObject({
      by: 'source igp',
      revision: before.revision + 1,
      summary: 'link b:c went down, with another change',
    });
  });

  it('knows the agent that described its headend', async () => {
    const before = await now();
    await ted.recordAgentCapabilities([
      { node: 'c', capabilities: { msdHEncaps: 3, encapMode: 'full', ownedSids: [] } },
    ]);
    expect(await told(before, [node('c')])).toMatchObject({ by: 'the agent of c', kind: 'agent-capabilities' });
  });
});
