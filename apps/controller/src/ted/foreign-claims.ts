import { parsePrefix, prefixContains, type NodeId, type Prefix } from '@waymark/topology';
import { Problem } from '../model/errors.js';
import type { LocatorRow, SidRow, TedRows } from './ted-rows.js';

/** Findings that one refusal lists. */
const MAX_ERRORS = 50;

/**
 * A SID has one owner, and so has a locator, unless all owners say anycast. Within a file the reader has checked
 * that; this holds the file against what other sources say of other nodes. Throws `topology-invalid`.
 */
export function refuseForeignClaims(desired: TedRows, others: TedRows): void {
  const details = [...sidConflicts(desired, others), ...locatorConflicts(desired.locators, others.locators)];
  const errors = details.slice(0, MAX_ERRORS).map((detail) => ({ field: '/nodes', detail }));
  const [first] = errors;
  if (first !== undefined) throw new Problem('topology-invalid', { ...first, errors });
}

function sidConflicts(desired: TedRows, others: TedRows): readonly string[] {
  const owners = new Map<string, SidRow[]>();
  for (const row of others.sids) owners.set(row.sid.sid, [...(owners.get(row.sid.sid) ?? []), row]);
  const isAnycast = anycastSids([...desired.locators, ...others.locators]);
  return desired.sids.flatMap((row) => {
    const foreign = (owners.get(row.sid.sid) ?? []).find(
      (other) => other.node !== row.node && !(isAnycast(row) && isAnycast(other)),
    );
    if (foreign === undefined) return [];
    return [`${row.sid.sid} of node ${row.node} belongs to node ${foreign.node} (source ${foreign.source})`];
  });
}

/** Is a SID within an anycast locator of its node? */
function anycastSids(locators: readonly LocatorRow[]): (row: SidRow) => boolean {
  const byNode = new Map<NodeId, Prefix[]>();
  for (const { node, locator } of locators) {
    if (locator.anycast) byNode.set(node, [...(byNode.get(node) ?? []), parsePrefix(locator.prefix)]);
  }
  return ({ node, sid }) => {
    const prefixes = byNode.get(node);
    if (prefixes === undefined) return false;
    const address = parsePrefix(`${sid.sid}/128`);
    return prefixes.some((prefix) => prefixContains(prefix, address));
  };
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
