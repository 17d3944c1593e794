import { Family, type Prefix } from '@waymark/agent-protocol';
import { sql, type Kysely, type Transaction } from 'kysely';
import { ipv6ToBytes, type NodeId } from '@waymark/topology';
import type { Tables } from '../storage/database.js';

/** The blocks of binding SIDs that are assigned to these headends, of those that have one. */
export async function bsidBlocksOf(
  db: Kysely<Tables> | Transaction<Tables>,
  headends: readonly NodeId[],
): Promise<ReadonlyMap<NodeId, Prefix>> {
  const rows = await sql<{ headend: NodeId; address: string; length: number }>`
    select headend, host(block) as address, masklen(block) as length from bsid_block
    where headend = any(${headends}::text[])
  `.execute(db);
  return new Map(
    rows.rows.map(({ headend, address, length }) => [
      headend,
      { family: Family.IPV6, address: ipv6ToBytes(address), length },
    ]),
  );
}
