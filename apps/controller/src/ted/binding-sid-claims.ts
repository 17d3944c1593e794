import { sql } from 'kysely';
import { hostPrefix, parsePrefix, prefixContains, type NodeId, type Prefix } from '@waymark/topology';
import { Problem } from '../model/errors.js';
import type { Database } from '../storage/database.js';
import type { TedRows } from './ted-rows.js';

/** Findings that one refusal lists. */
const MAX_ERRORS = 50;

/** The block that the binding SIDs of a headend are taken from. */
export interface BindingSidBlock {
  readonly headend: NodeId;
  readonly range: Prefix;
}

export async function assignedBlocks(db: Database): Promise<readonly BindingSidBlock[]> {
  const { rows } = await sql<{ headend: NodeId; block: string }>`select headend, block::text from bsid_block`.execute(
    db,
  );
  return rows.map(({ headend, block }) => ({ headend, range: parsePrefix(block) }));
}

/**
 * Headends steer whatever is sent to their binding SIDs, so nothing else can have these addresses. Blocks that are not
 * assigned yet keep clear of what is there by themselves. Throws `topology-invalid`.
 */
export function refuseBindingSidClaims({ locators, sids, nodes }: TedRows, blocks: readonly BindingSidBlock[]): void {
  if (blocks.length === 0) return;
  const claims = [
    ...locators.map(({ node, locator }) => ({
      node,
      what: `locator ${locator.prefix}`,
      range: parsePrefix(locator.prefix),
    })),
    ...sids.map(({ node, sid }) => ({ node, what: `SID ${sid.sid}`, range: hostPrefix(sid.sid) })),
    ...nodes.flatMap(({ id, attributes: { address } }) =>
      address === undefined ? [] : [{ node: id, what: `address ${address}`, range: hostPrefix(address) }],
    ),
  ];
  const errors = claims.flatMap(({ node, what, range }) => {
    const block = blocks.find((one) => prefixContains(one.range, range) || prefixContains(range, one.range));
    if (block === undefined) return [];
    return [
      { field: '/nodes', detail: `${what} of node ${node} overlaps the binding SIDs of headend ${block.headend}` },
    ];
  });
  const [first] = errors;
  if (first !== undefined) throw new Problem('topology-invalid', { ...first, errors: errors.slice(0, MAX_ERRORS) });
}
