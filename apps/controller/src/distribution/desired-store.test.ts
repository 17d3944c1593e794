import { stateHashOf } from '@waymark/agent-protocol';
import fc from 'fast-check';
import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../testing/test-database.js';
import { writeDesired, type HeadendChange, type PendingDelta } from './desired-store.js';

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
});

afterAll(() => database.drop());

beforeEach(() => sql`truncate headend, desired`.execute(database.db));

function write(changes: readonly HeadendChange[], epoch = 1): Promise<PendingDelta[]> {
  return database.db.transaction().execute((tx) => writeDesired(tx, epoch, changes));
}

async function headends(): Promise<Record<string, { generation: number; epoch: number; hash: Uint8Array }>> {
  const rows = await database.db.selectFrom('headend').selectAll().execute();
  return Object.fromEntries(
    rows.map((row) => [
      row.node_id,
      { generation: row.generation, epoch: row.epoch, hash: Uint8Array.from(row.state_hash) },
    ]),
  );
}

const one = { policyId: 'h1:1:h2', body: Uint8Array.of(1) };
const two = { policyId: 'h1:1:h3', body: Uint8Array.of(2) };

describe('writing what headends should hold', () => {
  it('gives the next generation to those headends for which anything differs, and to no other', async () => {
    await write([{ headend: 'h1', policies: [one] }]);
    const deltas = await write([
      { headend: 'h2', policies: [{ policyId: 'h2:1:h1', body: Uint8Array.of(3) }] },
      { headend: 'h1', policies: [one, { policyId: two.policyId, body: null }] },
    ]);
    expect(deltas.map((delta) => delta.headend)).toEqual(['h2']);
    expect(await headends()).toMatchObject({ h1: { generation: 1 }, h2: { generation: 1 } });
  });

  it('brings only what differs, and asks for its outcome anew', async () => {
    await write([{ headend: 'h1', policies: [one, two] }]);
    await sql`update desired set outcome = 'installed'`.execute(database.db);
    const changed = { ...two, body: Uint8Array.of(9) };
    const [delta] = await write([{ headend: 'h1', policies: [one, changed] }], 2);
    expect(delta).toMatchObject({
      epoch: 2,
      generation: 2,
      previousGeneration: 1,
      changes: [{ ...changed, generation: 2, deleted: false }],
    });
    const rows = await database.db
      .selectFrom('desired')
      .select(['policy_id', 'generation', 'outcome'])
      .orderBy('policy_id')
      .execute();
    expect(rows).toEqual([
      { policy_id: one.policyId, generation: 1, outcome: 'installed' },
      { policy_id: two.policyId, generation: 2, outcome: 'pending' },
    ]);
  });

  it('leaves a tombstone of what is withdrawn, and revives it', async () => {
    await write([{ headend: 'h1', policies: [one] }]);
    const gone = { policyId: one.policyId, body: null };
    const [withdrawal] = await write([{ headend: 'h1', policies: [gone] }]);
    expect(withdrawal?.changes).toEqual([
      { policyId: one.policyId, generation: 2, deleted: true, body: new Uint8Array() },
    ]);
    expect(withdrawal?.stateHash.every((byte) => byte === 0)).toBe(true);
    expect(await write([{ headend: 'h1', policies: [gone] }])).toEqual([]);
    expect(await write([{ headend: 'h1', policies: [one] }])).toMatchObject([{ generation: 3 }]);
  });

  it('refuses a policy twice, and a policy of another headend', async () => {
    await expect(write([{ headend: 'h1', policies: [one, one] }])).rejects.toThrow(RangeError);
    await expect(write([{ headend: 'h2', policies: [one] }])).rejects.toThrow(RangeError);
    expect(await headends()).toEqual({});
  });

  it('does not deadlock when two transactions write the same headends in opposite order', async () => {
    const body = (seed: number): Uint8Array => Uint8Array.of(seed);
    const change = (headend: string, seed: number): HeadendChange => ({
      headend,
      policies: [{ policyId: `${headend}:1:x`, body: body(seed) }],
    });
    const names = Array.from({ length: 20 }, (_, index) => `h${String(index)}`);
    for (let round = 0; round < 5; round++) {
      await Promise.all([
        write(names.map((name) => change(name, round))),
        write(names.toReversed().map((name) => change(name, round + 100))),
      ]);
    }
    expect(Object.values(await headends()).every(({ generation }) => generation === 10)).toBe(true);
  });

  it('keeps the hash of every headend equal to that of its policies, over any history', async () => {
    const change = fc.record({
      headend: fc.constantFrom('h1', 'h2'),
      policies: fc.uniqueArray(
        fc.record({
          target: fc.constantFrom('a', 'b', 'c'),
          body: fc.option(fc.uint8Array({ minLength: 1, maxLength: 3 })),
        }),
        { selector: (policy) => policy.target, maxLength: 3 },
      ),
    });
    const transaction = fc.uniqueArray(change, { selector: ({ headend }) => headend, maxLength: 2 });
    await fc.assert(
      fc.asyncProperty(fc.array(transaction, { maxLength: 8 }), async (history) => {
        await sql`truncate headend, desired`.execute(database.db);
        const truth = new Map<string, Map<string, Uint8Array>>();
        const generations = new Map<string, number>();
        for (const changes of history) {
          const deltas = await write(
            changes.map(({ headend, policies }) => ({
              headend,
              policies: policies.map(({ target, body }) => ({ policyId: `${headend}:1:${target}`, body })),
            })),
          );
          for (const { headend, policies } of changes) {
            const before = truth.get(headend) ?? new Map<string, Uint8Array>();
            const after = new Map(before);
            for (const { target, body } of policies) {
              if (body === null) after.delete(`${headend}:1:${target}`);
              else after.set(`${headend}:1:${target}`, body);
            }
            const same = JSON.stringify([...before].sort()) === JSON.stringify([...after].sort());
            truth.set(headend, after);
            const delta = deltas.find((one) => one.headend === headend);
            expect(delta === undefined).toBe(same);
            generations.set(headend, (generations.get(headend) ?? 0) + (same ? 0 : 1));
            expect(delta?.generation ?? generations.get(headend)).toBe(generations.get(headend));
          }
        }
        const stored = await headends();
        for (const [headend, policies] of truth) {
          expect(stored[headend]?.generation).toBe(generations.get(headend));
          expect(stored[headend]?.hash).toEqual(
            stateHashOf(Array.from(policies, ([policyId, body]) => ({ policyId, body }))),
          );
        }
      }),
      { numRuns: 40 },
    );
  });
});
