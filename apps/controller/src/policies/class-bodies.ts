import { sql } from 'kysely';
import { classIdOf, encodeServiceClass } from '@waymark/agent-protocol';
import { addressFamily, ipv6ToBytes, type NodeId } from '@waymark/topology';
import { groupBy } from './group-by.js';
import type { Executor } from './policy-intents.js';

/** A policy or service class as an entry of what its headend is to hold. */
export interface EntryBody {
  readonly id: string;
  readonly headend: NodeId;
  /** null: nothing. */
  readonly body: Uint8Array | null;
}

/** The service classes of these headends, with those that are to be withdrawn. */
export async function classBodies(db: Executor, headends: readonly NodeId[]): Promise<EntryBody[]> {
  if (headends.length === 0) return [];
  const members = await sql<{ headend: NodeId; color: number; address: string }>`
    select headend, color, address from class_member where headend = any(${headends}::text[])
    order by headend, color, address
  `.execute(db);
  const desired = await sql<{ headend: NodeId; id: string }>`
    select headend, policy_id as id from desired
    where headend = any(${headends}::text[]) and not deleted and split_part(policy_id, ':', 3) = headend
  `.execute(db);
  const classes = new Map(
    [...groupBy(members.rows, ({ headend, color }) => classIdOf(headend, color))].map(([id, own]) => {
      const { headend, color } = own[0] as (typeof own)[number];
      const sources = own.map(({ address }) => bytesOf(address));
      return [id, { id, headend, body: encodeServiceClass({ classId: id, color, sources }) }];
    }),
  );
  const gone = desired.rows.filter(({ id }) => !classes.has(id)).map((row) => ({ ...row, body: null }));
  return [...classes.values(), ...gone];
}

function bytesOf(address: string): Uint8Array {
  return addressFamily(address) === 'ipv4' ? Uint8Array.from(address.split('.').map(Number)) : ipv6ToBytes(address);
}
