import {
  equalBytes,
  SNAPSHOT_CHUNK_BYTES,
  type PolicyChange,
  type SnapshotChunk,
  type SnapshotRequest,
} from '@waymark/agent-protocol';
import { sql } from 'kysely';
import type { Database } from '../storage/database.js';
import { bsidBlocksOf } from './bsid-blocks.js';

/** Bytes that a policy takes in a chunk besides its id and body, at most. */
const POLICY_OVERHEAD_BYTES = 32;

/**
 * The whole desired state of a headend, in chunks of about SNAPSHOT_CHUNK_BYTES and in order of policy id. Header and
 * policies come from one REPEATABLE READ transaction, so they belong together.
 */
export async function readSnapshot(db: Database, instance: string, request: SnapshotRequest): Promise<SnapshotChunk[]> {
  return await db
    .transaction()
    .setIsolationLevel('repeatable read')
    .setAccessMode('read only')
    .execute(async (tx) => {
      const headend = await tx
        .selectFrom('headend')
        .select(['epoch', 'generation', 'state_hash'])
        .where('node_id', '=', request.nodeId)
        .executeTakeFirst();
      const blocks = await bsidBlocksOf(tx, [request.nodeId]);
      const header = {
        instance,
        epoch: headend?.epoch ?? 0,
        generation: headend?.generation ?? 0,
        stateHash: headend?.state_hash ?? new Uint8Array(32),
        bsidBlock: blocks.get(request.nodeId),
      };
      const unchanged =
        header.epoch === request.epoch &&
        header.generation === request.generation &&
        equalBytes(header.stateHash, request.stateHash);
      if (unchanged) return [{ ...header, policies: [], last: true, unchanged }];
      const rows = await tx
        .selectFrom('desired')
        .select(['policy_id', 'generation', 'body'])
        .where('headend', '=', request.nodeId)
        .where('deleted', '=', false)
        // Bytewise, whatever the collation of the database.
        .orderBy(sql`policy_id collate "C"`)
        .execute();
      const parts = inParts(
        rows.map((row) => ({ policyId: row.policy_id, generation: row.generation, deleted: false, body: row.body })),
      );
      return parts.map((policies, index) => ({ ...header, policies, last: index === parts.length - 1, unchanged }));
    });
}

/** At least one part. */
function inParts(policies: readonly PolicyChange[]): PolicyChange[][] {
  const parts: PolicyChange[][] = [];
  let part: PolicyChange[] = [];
  let bytes = 0;
  for (const policy of policies) {
    const size = policy.policyId.length + policy.body.length + POLICY_OVERHEAD_BYTES;
    if (bytes + size > SNAPSHOT_CHUNK_BYTES && part.length > 0) {
      parts.push(part);
      part = [];
      bytes = 0;
    }
    part.push(policy);
    bytes += size;
  }
  return [...parts, part];
}
