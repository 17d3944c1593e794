import { parsePrefix, prefixContains, type Prefix } from '@waymark/topology';
import { Problem } from '../model/errors.js';
import type { LocatorRow, SidRow, TedRows } from './ted-rows.js';

/** Findings that one refusal lists. */
const MAX_ERRORS = 50;

/**
 * A SID has one owner, and so has a locator unless all its owners say anycast. Within a file the reader has checked
 * that; this holds the file against what other sources say of other nodes. Throws `topology-invalid`.
 */
export function refuseForeignClaims(desired: TedRows, others: TedRows): void {
  const details = [...sidConflicts(desired.sids, others.sids), ...locatorConflicts(desired.locators, others.locators)];
  const errors = details.slice(0, MAX_ERRORS).map((detail) => ({ field: '/nodes', detail }));
  const [first] = errors;
  if (first !== undefined) throw new Problem('topology-invalid', { ...first, errors });
}

function sidConflicts(desired: readonly SidRow[], others: readonly SidRow[]): readonly string[] {
  const owners = new Map(others.map((row) => [row.sid.sid, row]));
  return desired.flatMap(({ node, sid }) => {
    const owner = owners.get(sid.sid);
    if (owner === undefined || owner.node === node) return [];
    return [`${sid.sid} of node ${node} belongs to node ${owner.node} (source ${owner.source})`];
  });
}

interface Claim {
  readonly row: LocatorRow;
  readonly range: Prefix;
  readonly isDesired: boolean;
}

function locatorConflicts(desired: readonly LocatorRow[], others: readonly LocatorRow[]): readonly string[] {
  const claim = (isDesired: boolean) => (row: LocatorRow) => ({
    row,
    range: parsePrefix(row.locator.prefix),
    isDesired,
  });
  const claims = [...desired.map(claim(true)), ...others.map(claim(false))].sort(byRange);
  const conflicts: string[] = [];
  // In this order a prefix is followed by all that lie within it: those that still contain the next one are the stack.
  const open: Claim[] = [];
  for (const entry of claims) {
    for (let last = open.at(-1); last && !prefixContains(last.range, entry.range); last = open.at(-1)) open.pop();
    for (const outer of open) {
      if (outer.isDesired === entry.isDesired || !inConflict(outer.row, entry.row)) continue;
      const [own, foreign] = entry.isDesired ? [entry.row, outer.row] : [outer.row, entry.row];
      const owner = `locator ${foreign.locator.prefix} of node ${foreign.node} (source ${foreign.source})`;
      conflicts.push(`locator ${own.locator.prefix} of node ${own.node} overlaps ${owner}`);
    }
    open.push(entry);
  }
  return conflicts;
}

function inConflict({ node, locator }: LocatorRow, other: LocatorRow): boolean {
  const isAnycast = locator.prefix === other.locator.prefix && locator.anycast && other.locator.anycast;
  return node !== other.node && !isAnycast;
}

function byRange({ range: a }: Claim, { range: b }: Claim): number {
  if (a.network !== b.network) return a.network < b.network ? -1 : 1;
  return a.length - b.length;
}
