import { FEATURES, policyHash, STATE_HASH_BYTES, type PolicyChange, type Prefix } from '@waymark/agent-protocol';
import { sql, type Transaction } from 'kysely';
import type { NodeId } from '@waymark/topology';
import type { Tables } from '../storage/database.js';
import { bsidBlocksOf } from './bsid-blocks.js';
import { asUnderstood, storeWithheld } from './withheld-entries.js';

/** Announced by every transaction that writes desired state; the payload says nothing. */
export const DESIRED_CHANNEL = 'waymark_desired';

/** Rows of one statement; keeps a mesh of 200,000 policies well below the 1 GB that one message to Postgres may have. */
const ROWS_PER_STATEMENT = 10_000;

export interface HeadendChange {
  readonly headend: NodeId;
  /** Distinct policies of this headend. `body`: a serialized DesiredPolicy, or null to withdraw the policy. */
  readonly policies: readonly { readonly policyId: string; readonly body: Uint8Array | null }[];
}

/** What to publish for one headend once the transaction that wrote it has committed. */
export interface PendingDelta {
  readonly headend: NodeId;
  readonly epoch: number;
  readonly generation: number;
  readonly previousGeneration: number;
  readonly stateHash: Uint8Array;
  readonly changes: readonly PolicyChange[];
  /** Of the headend; undefined: none is assigned to it. */
  readonly bsidBlock: Prefix | undefined;
}

interface DesiredRow {
  readonly headend: NodeId;
  readonly policyId: string;
  readonly generation: number;
  readonly deleted: boolean;
  readonly body: Uint8Array;
}

/**
 * Writes what headends should hold, within a fenced transaction of the leader. A headend for which anything differs gets
 * its next generation and one delta; others get neither. What the agent of a headend does not understand is withheld
 * (withheld-entries.ts). A withdrawn policy stays as a tombstone until the agent has
 * acknowledged its removal. Headends are locked in the order of their ids, so two such transactions never deadlock.
 * Throws RangeError for a policy that is named twice or is not of its headend.
 */
export async function writeDesired(
  tx: Transaction<Tables>,
  epoch: number,
  changes: readonly HeadendChange[],
): Promise<PendingDelta[]> {
  const whole = [...changes].sort((a, b) => (a.headend < b.headend ? -1 : 1));
  checkChanges(whole);
  const headends = await lockHeadends(
    tx,
    whole.map((change) => change.headend),
  );
  const understood = asUnderstood(whole, headends);
  const wanted = understood.map(({ understood: change }) => change);
  const present = await presentHashes(tx, wanted);
  const blocks = await bsidBlocksOf(tx, [...headends.keys()]);
  const deltas: PendingDelta[] = [];
  for (const change of wanted) {
    const headend = headends.get(change.headend);
    if (headend === undefined) throw new RangeError(`headend ${change.headend} cannot be locked`);
    const delta = nextDelta(change, headend, epoch, present, blocks.get(change.headend));
    if (delta !== undefined) deltas.push(delta);
  }
  await storeHeadends(tx, deltas);
  await storePolicies(
    tx,
    deltas.flatMap((delta) => delta.changes.map((change) => ({ headend: delta.headend, ...change }))),
  );
  await storeWithheld(tx, understood);
  if (deltas.length > 0) await sql`select pg_notify(${DESIRED_CHANNEL}, '')`.execute(tx);
  return deltas;
}

/**
 * Gives headends a generation above the one that their agents report (a restored database knows less than they do).
 * The desired policies stay as they are; the deltas only tell the agents to fetch a snapshot.
 */
export async function raiseGenerations(
  tx: Transaction<Tables>,
  epoch: number,
  reports: readonly { readonly headend: NodeId; readonly generation: number }[],
): Promise<PendingDelta[]> {
  const sorted = [...reports].sort((a, b) => (a.headend < b.headend ? -1 : 1));
  const headends = await lockHeadends(
    tx,
    sorted.map((report) => report.headend),
  );
  const deltas = sorted.map(({ headend, generation }): PendingDelta => {
    const row = headends.get(headend);
    const previousGeneration = Math.max(row?.generation ?? 0, generation);
    const stateHash = row?.state_hash ?? new Uint8Array(STATE_HASH_BYTES);
    // Which block it is comes with the snapshot.
    const rest = { previousGeneration, stateHash, changes: [], bsidBlock: undefined };
    return { headend, epoch, generation: previousGeneration + 1, ...rest };
  });
  await storeHeadends(tx, deltas);
  if (deltas.length > 0) await sql`select pg_notify(${DESIRED_CHANNEL}, '')`.execute(tx);
  return deltas;
}

function checkChanges(changes: readonly HeadendChange[]): void {
  const seen = new Set<string>();
  for (const { headend, policies } of changes) {
    for (const { policyId } of policies) {
      if (!policyId.startsWith(`${headend}:`)) throw new RangeError(`${policyId} is not a policy of ${headend}`);
      if (seen.has(policyId)) throw new RangeError(`${policyId} is named twice`);
      seen.add(policyId);
    }
  }
}

interface HeadendRow {
  readonly node_id: NodeId;
  readonly generation: number;
  readonly state_hash: Uint8Array;
  readonly features: readonly string[];
}

async function lockHeadends(tx: Transaction<Tables>, ids: readonly NodeId[]): Promise<Map<NodeId, HeadendRow>> {
  await sql`
    insert into headend (node_id, features)
    select id, coalesce(a.features, ${[...FEATURES]}::text[])
    from unnest(${ids}::text[]) as id left join agent a on a.node_id = id
    order by id on conflict do nothing
  `.execute(tx);
  const locked = await sql<HeadendRow>`
    select node_id, generation, state_hash, features from headend where node_id = any(${ids}::text[]) order by node_id for update
  `.execute(tx);
  return new Map(locked.rows.map((row) => [row.node_id, row]));
}

/** Hash by policy id, of the named policies that are desired now. Computed where the bodies are (see policyHash). */
async function presentHashes(tx: Transaction<Tables>, changes: readonly HeadendChange[]): Promise<Map<string, Buffer>> {
  const keys = changes.flatMap(({ headend, policies }) => policies.map(({ policyId }) => ({ headend, policyId })));
  const hashes = new Map<string, Buffer>();
  for (const some of batches(keys)) {
    const found = await sql<{ policy_id: string; hash: Buffer }>`
      select d.policy_id,
        sha256(int4send(octet_length(d.policy_id)) || convert_to(d.policy_id, 'UTF8') || d.body) as hash
      from unnest(${some.map((key) => key.headend)}::text[], ${some.map((key) => key.policyId)}::text[])
        as named (headend, policy_id)
      join desired d using (headend, policy_id)
      where not d.deleted
    `.execute(tx);
    for (const row of found.rows) hashes.set(row.policy_id, row.hash);
  }
  return hashes;
}

/** The next generation of a headend; undefined when it would hold the same. */
function nextDelta(
  wanted: HeadendChange,
  headend: HeadendRow,
  epoch: number,
  present: ReadonlyMap<string, Uint8Array>,
  bsidBlock: Prefix | undefined,
): PendingDelta | undefined {
  const generation = headend.generation + 1;
  const stateHash = Buffer.from(headend.state_hash);
  const changes: PolicyChange[] = [];
  for (const { policyId, body } of wanted.policies) {
    const before = present.get(policyId);
    const after = body === null ? undefined : policyHash(policyId, body);
    if (before === undefined ? after === undefined : after !== undefined && Buffer.compare(before, after) === 0)
      continue;
    if (before !== undefined) xorInto(stateHash, before);
    if (after !== undefined) xorInto(stateHash, after);
    changes.push({ policyId, generation, deleted: body === null, body: body ?? new Uint8Array() });
  }
  if (changes.length === 0) return undefined;
  return {
    headend: wanted.headend,
    epoch,
    generation,
    previousGeneration: headend.generation,
    stateHash,
    changes,
    bsidBlock,
  };
}

function xorInto(hash: Buffer, other: Uint8Array): void {
  other.forEach((byte, index) => {
    hash[index] = (hash[index] ?? 0) ^ byte;
  });
}

async function storeHeadends(tx: Transaction<Tables>, deltas: readonly PendingDelta[]): Promise<void> {
  await sql`
    update headend h set generation = n.generation, epoch = n.epoch, state_hash = n.state_hash
    from unnest(
      ${deltas.map((delta) => delta.headend)}::text[],
      ${deltas.map((delta) => delta.generation)}::bigint[],
      ${deltas.map((delta) => delta.epoch)}::bigint[],
      ${deltas.map((delta) => delta.stateHash)}::bytea[]
    ) as n (node_id, generation, epoch, state_hash)
    where h.node_id = n.node_id
  `.execute(tx);
}

async function storePolicies(tx: Transaction<Tables>, rows: readonly DesiredRow[]): Promise<void> {
  for (const some of batches(rows)) {
    await sql`
      insert into desired (headend, policy_id, generation, deleted, body)
      select * from unnest(
        ${some.map((row) => row.headend)}::text[],
        ${some.map((row) => row.policyId)}::text[],
        ${some.map((row) => row.generation)}::bigint[],
        ${some.map((row) => row.deleted)}::boolean[],
        ${some.map((row) => row.body)}::bytea[]
      )
      on conflict (headend, policy_id) do update set
        generation = excluded.generation, deleted = excluded.deleted, body = excluded.body,
        outcome = 'pending', outcome_reason = null, outcome_at = null
    `.execute(tx);
  }
}

function* batches<T>(items: readonly T[]): Generator<readonly T[]> {
  for (let start = 0; start < items.length; start += ROWS_PER_STATEMENT) {
    yield items.slice(start, start + ROWS_PER_STATEMENT);
  }
}
