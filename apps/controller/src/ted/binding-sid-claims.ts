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
  const overlapping = overlapWith(blocks);
  const errors = claims.flatMap(({ node, what, range }) => {
    const block = overlapping(range);
    if (block === undefined) return [];
    return [
      { field: '/nodes', detail: `${what} of node ${node} overlaps the binding SIDs of headend ${block.headend}` },
    ];
  });
  const [first] = errors;
  if (first !== undefined) throw new Problem('topology-invalid', { ...first, errors: errors.slice(0, MAX_ERRORS) });
}

/** Finds a block that a prefix overlaps, among blocks that do not overlap each other; there may be thousands of both. */
function overlapWith(blocks: readonly BindingSidBlock[]): (range: Prefix) => BindingSidBlock | undefined {
  const sorted = [...blocks].sort((a, b) => (a.range.network < b.range.network ? -1 : 1));
  return (range) => {
    if (range.family !== 'ipv6') return undefined;
    const last = range.network + (1n << BigInt(128 - range.length)) - 1n;
    let low = 0;
    for (let high = sorted.length; low < high;) {
      const middle = (low + high) >>> 1;
      const network = sorted[middle]?.range.network ?? last;
      if (network <= last) low = middle + 1;
      else high = middle;
    }
    // Of blocks that begin before the end of the prefix, the last: if that one does not reach into it, none does.
    const block = sorted[low - 1];
    if (block === undefined) return undefined;
    return prefixContains(block.range, range) || prefixContains(range, block.range) ? block : undefined;
  };
}
