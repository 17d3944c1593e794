/**
 * The filter at the edge of the SR domain as nftables has it (RFC 8754 §5.1), in the words of `nft -j`: what should be
 * there, and whether a listing is just that.
 *
 *     table ip6 waymark_edge
 *       chain prerouting, hook prerouting, priority raw
 *         came in on a trusted interface          → accept (other tables still see it)
 *         destination in a block                  → count, drop
 *         segment routing header                  → count, drop
 *         headers behind which one could hide     → count, drop
 */

const FAMILY = 'ip6';
const TABLE = 'waymark_edge';
const CHAIN = 'prerouting';

/** Of the table, as arguments of `nft list` and `nft delete`. */
export const EDGE_TABLE = ['table', FAMILY, TABLE] as const;

/** Why packets are dropped; the names of the counters. */
export const EDGE_REASONS = ['sid_destination', 'segment_routing_header', 'hidden_routing_header'] as const;

export interface EdgeRules {
  /** IPv6 prefixes in canonical form. */
  readonly blocks: readonly string[];
  /** Interfaces whose packets are let in. */
  readonly trusted: readonly string[];
}

export interface EdgeCount {
  readonly packets: number;
  readonly bytes: number;
}

/** What `nft` calls an object: `{ rule: {...} }`. */
type NftObject = Readonly<Record<string, unknown>>;

/** `raw`: before connection tracking and routing, after reassembly where connection tracking is in use. */
const PRIORITY = -300;

const SEGMENT_ROUTING = 4;
/**
 * Next header numbers: routing, authentication, destination options. nft looks at the first routing header only, and at
 * what the first fragment holds. No ordinary packet has one of these behind a routing or fragment header.
 */
const HIDING = [43, 51, 60];

/** What replaces the table, in one transaction. Drops that were counted so far stay counted. */
export function edgeScript(rules: EdgeRules, counted: ReadonlyMap<string, EdgeCount>): string {
  const table = { table: { family: FAMILY, name: TABLE } };
  const commands = [
    // Deleting what is not there would fail, so it is made first.
    { add: table },
    { delete: table },
    ...objectsOf(rules, counted).map((object) => ({ add: object })),
  ];
  return JSON.stringify({ nftables: commands });
}

/** Whether `nft -n -j list` printed exactly the table that should be there. */
export function isEdge(listing: string, rules: EdgeRules): boolean {
  return fingerprint(objectsIn(listing)) === fingerprint(objectsOf(rules, new Map()));
}

/** The counters of a listing, by reason. */
export function edgeCounts(listing: string): ReadonlyMap<string, EdgeCount> {
  const counters = objectsIn(listing).flatMap(({ counter }) => (isRecord(counter) ? [counter] : []));
  return new Map(
    counters.map(({ name, packets, bytes }): [string, EdgeCount] => [
      String(name),
      { packets: Number(packets), bytes: Number(bytes) },
    ]),
  );
}

function objectsOf({ blocks, trusted }: EdgeRules, counted: ReadonlyMap<string, EdgeCount>): NftObject[] {
  const place = { family: FAMILY, table: TABLE };
  const rule = (left: object, right: unknown, ...verdict: readonly object[]) => ({
    rule: { ...place, chain: CHAIN, expr: [{ match: { op: '==', left, right } }, ...verdict] },
  });
  const drop = (left: object, right: unknown, reason: (typeof EDGE_REASONS)[number]) =>
    rule(left, right, { counter: reason }, { drop: null });
  const header = (name: string, field: string) => ({ exthdr: { name, field } });
  return [
    { table: { family: FAMILY, name: TABLE } },
    ...EDGE_REASONS.map((name) => ({
      counter: { ...place, name, ...(counted.get(name) ?? { packets: 0, bytes: 0 }) },
    })),
    { chain: { ...place, name: CHAIN, type: 'filter', hook: 'prerouting', prio: PRIORITY, policy: 'accept' } },
    ...trusted.map((name) => rule({ meta: { key: 'iifname' } }, name, { accept: null })),
    ...blocks.map((block) =>
      drop({ payload: { protocol: 'ip6', field: 'daddr' } }, prefixOf(block), 'sid_destination'),
    ),
    drop(header('rt', 'type'), SEGMENT_ROUTING, 'segment_routing_header'),
    ...HIDING.map((next) => drop(header('rt', 'nexthdr'), next, 'hidden_routing_header')),
    ...HIDING.map((next) => drop(header('frag', 'nexthdr'), next, 'hidden_routing_header')),
  ];
}

function prefixOf(block: string) {
  const [addr = '', length] = block.split('/');
  return length === '128' ? addr : { prefix: { addr, len: Number(length) } };
}

function objectsIn(listing: string): NftObject[] {
  const parsed: unknown = JSON.parse(listing);
  const objects = isRecord(parsed) ? parsed['nftables'] : undefined;
  return Array.isArray(objects) ? objects.filter(isRecord).filter((object) => !('metainfo' in object)) : [];
}

/** Rules in their order, everything else in any; without what differs from one moment to the next. */
function fingerprint(objects: readonly NftObject[]): string {
  const texts = objects.map((object) => canonicalJson(object, 'counter' in object));
  const isRule = (_: string, index: number) => 'rule' in (objects[index] ?? {});
  const others = texts.filter((text, index) => !isRule(text, index)).sort();
  return [...others, ...texts.filter(isRule)].join('\n');
}

function canonicalJson(object: NftObject, counts: boolean): string {
  return JSON.stringify(object, (key, value: unknown) => {
    if (key === 'handle' || (counts && (key === 'packets' || key === 'bytes'))) return undefined;
    return isRecord(value) ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))) : value;
  });
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
