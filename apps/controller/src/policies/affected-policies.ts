import { sql, type RawBuilder } from 'kysely';
import type { LinkId, MetricType, NodeId, Snapshot } from '@waymark/topology';
import { distances, metricOf } from '../compute/distances.js';
import type { Executor } from './policy-intents.js';
import type { TedChanges } from './ted-changes.js';
import type { ChangedElement } from './tell-changes.js';

export interface AffectedPolicy {
  /** May something better exist for it? */
  readonly reoptimise: boolean;
  /** Is what carries its traffic touched? Otherwise only its standby is, or it can only get better. */
  readonly touched: boolean;
  /** What touches it; a few when many do. Never empty. */
  readonly because: readonly ChangedElement[];
}

/** Policies to evaluate. */
export type Affected = Map<string, AffectedPolicy>;

export interface AffectedQuery {
  readonly snapshot: Snapshot;
  readonly changes: TedChanges;
  /** Links that are better than before and may be used: improved ones not on hold, and those whose hold is over. */
  readonly improved: readonly LinkId[];
}

const OBJECTIVES = ['igp', 'te', 'delay', 'delay-variation', 'loss', 'hop'] as const satisfies MetricType[];

/**
 * The policies that a change of the topology can affect, and no others:
 *
 * - what got worse, or merely different, concerns those whose traffic crosses it (arrays of policy_state, indexed), and
 *   those whose standby does;
 * - what the IGP may now send elsewhere concerns those with a segment that it shifts: d(from, link) + d(link, to) is no
 *   longer than the segment was;
 * - what flexible algorithms and anycast prefixes go by concerns all with a segment that follows these;
 * - what got better concerns those whose best conceivable path over it beats what they have; the distances ignore all
 *   constraints, so they can only name too many;
 * - and whoever wanted something better in vain is tried again whenever anything got better, or is routed otherwise: what no
 *   list leads over may then be where the IGP goes by itself.
 */
export async function affectedPolicies(db: Executor, query: AffectedQuery): Promise<Affected> {
  const { changes, improved, snapshot } = query;
  const affected: Affected = new Map();
  const add = (found: readonly Found[], how: Omit<AffectedPolicy, 'because'>): void => {
    for (const { id, because } of found) {
      const known = affected.get(id);
      if (known !== undefined && (known.reoptimise || !how.reoptimise)) continue;
      affected.set(id, known === undefined ? { ...how, because } : { ...known, reoptimise: true });
    }
  };
  const touched = { reoptimise: false, touched: true };
  const better = { reoptimise: true, touched: false };
  add(await crossing(db, changes), touched);
  add(await attachedTo(db, snapshot, changes.links), touched);
  add(await between(db, elements('node', changes.headends), elements('node', changes.endpoints)), {
    reoptimise: true,
    touched: true,
  });
  add(await shifted(db, snapshot, changes.attracting), touched);
  add(await routedOtherwise(db, changes.rerouting), touched);
  // Its traffic is not on the standby, so this can wait for what carries traffic.
  add(await standbyCrossing(db, changes), { reoptimise: false, touched: false });
  // What flexible algorithms do with a change, for the worse or not, may be what somebody waited for.
  const isRerouted = snapshot.data.flexAlgorithm.length > 0;
  const improvements = [
    ...(isRerouted ? few('link', changes.links) : []),
    ...few('link', improved),
    ...few(
      'link',
      changes.improved.map(({ linkId }) => linkId),
    ),
    ...few('node', changes.transit),
    ...few('link', changes.routing),
  ];
  if (improvements.length > 0) add(await unsettled(db, improvements), better);
  for (const objective of OBJECTIVES) add(await improvable(db, snapshot, objective, improved), better);
  return affected;
}

/** How many elements a policy remembers as what touched it. */
const FEW = 3;

function few(kind: ChangedElement['kind'], ids: readonly string[]): ChangedElement[] {
  return ids.slice(0, FEW).map((id) => ({ kind, id }));
}

function elements(kind: ChangedElement['kind'], ids: readonly string[]): Map<NodeId, ChangedElement> {
  return new Map(ids.map((id) => [id, { kind, id }]));
}

/** Policies in want of bandwidth. */
export async function starvedPolicies(db: Executor): Promise<string[]> {
  const found = await sql<Row>`select policy_id as id from policy_state where starved`.execute(db);
  return found.rows.map(({ id }) => id);
}

/** Headends with default steering to any of these endpoints, and to which. */
export async function headendsSteeringTo(
  db: Executor,
  endpoints: readonly NodeId[],
): Promise<{ readonly headend: NodeId; readonly endpoint: NodeId }[]> {
  if (endpoints.length === 0) return [];
  const found = await sql<{ headend: NodeId; endpoint: NodeId }>`
    select distinct on (headend) headend, endpoint from sr_policy
    where endpoint = any(${endpoints}::text[]) and steered_prefixes is null
    order by headend, endpoint
  `.execute(db);
  return found.rows;
}

interface Row {
  readonly id: string;
}

interface Found {
  readonly id: string;
  readonly because: readonly ChangedElement[];
}

/** What got worse is named before what merely differs. */
function crossing(db: Executor, changes: TedChanges): Promise<Found[]> {
  return crossingBy(db, changes, { links: sql.ref('link_ids'), nodes: sql.ref('node_ids') });
}

function standbyCrossing(db: Executor, changes: TedChanges): Promise<Found[]> {
  return crossingBy(db, changes, { links: sql.ref('standby_link_ids'), nodes: sql.ref('standby_node_ids') });
}

async function crossingBy(
  db: Executor,
  { links, worsened, transit }: TedChanges,
  crossed: { readonly links: RawBuilder<unknown>; readonly nodes: RawBuilder<unknown> },
): Promise<Found[]> {
  if (links.length === 0 && transit.length === 0) return [];
  const found = await sql<Row & { readonly links: readonly LinkId[]; readonly nodes: readonly NodeId[] }>`
    select policy_id as id,
      array(select link from unnest(${crossed.links}) as link where link = any(${links}::text[])) as links,
      array(select node from unnest(${crossed.nodes}) as node where node = any(${transit}::text[])) as nodes
    from policy_state where ${crossed.links} && ${links}::text[] or ${crossed.nodes} && ${transit}::text[]
  `.execute(db);
  const bad = new Set(worsened);
  return found.rows.map((row) => {
    const first = [...row.links.filter((link) => bad.has(link)), ...row.links.filter((link) => !bad.has(link))];
    return { id: row.id, because: [...few('link', first), ...few('node', row.nodes)] };
  });
}

/** A host's first and last links follow rules of their own, which any change of one of its links can tip. */
async function attachedTo(db: Executor, snapshot: Snapshot, links: readonly LinkId[]): Promise<Found[]> {
  const heads = new Map<NodeId, ChangedElement>();
  const ends = new Map<NodeId, ChangedElement>();
  for (const id of links) {
    const arc = snapshot.arcOf(id);
    if (arc < 0) continue;
    const from = snapshot.data.arcFrom[arc] as number;
    const to = snapshot.data.arcTo[arc] as number;
    if (snapshot.isHost(from)) heads.set(snapshot.nodeIdOf(from), { kind: 'link', id });
    if (snapshot.isHost(to)) ends.set(snapshot.nodeIdOf(to), { kind: 'link', id });
  }
  return between(db, heads, ends);
}

/** Policies from or to these nodes, with what changed there. One that was never computed waits for that anyway. */
async function between(
  db: Executor,
  heads: ReadonlyMap<NodeId, ChangedElement>,
  ends: ReadonlyMap<NodeId, ChangedElement>,
): Promise<Found[]> {
  if (heads.size === 0 && ends.size === 0) return [];
  const found = await sql<Row & { readonly headend: NodeId; readonly endpoint: NodeId }>`
    select id, headend, endpoint from sr_policy join policy_state on policy_id = id
    where headend = any(${[...heads.keys()]}::text[]) or endpoint = any(${[...ends.keys()]}::text[])
  `.execute(db);
  return found.rows.map(({ id, headend, endpoint }) => ({
    id,
    because: [ends.get(endpoint), heads.get(headend)].filter((element) => element !== undefined),
  }));
}

async function unsettled(db: Executor, because: readonly ChangedElement[]): Promise<Found[]> {
  const found = await sql<Row>`select policy_id as id from policy_state where unsettled`.execute(db);
  return found.rows.map(({ id }) => ({ id, because }));
}

async function shifted(db: Executor, snapshot: Snapshot, links: readonly LinkId[]): Promise<Found[]> {
  const through = distancesThrough(snapshot, links, 'igp', 'igp');
  if (through === undefined) return [];
  const found = await sql<Row>`
    with head (id, d) as (select * from unnest(${through.before.ids}::text[], ${through.before.values}::float8[])),
      tail (id, d) as (select * from unnest(${through.after.ids}::text[], ${through.after.values}::float8[]))
    select distinct s.policy_id as id
    from policy_state s
    cross join lateral unnest(s.segment_from, s.segment_to, s.segment_igp) as g (source, target, igp)
    join head on head.id = g.source
    join tail on tail.id = g.target
    where head.d + tail.d <= g.igp
  `.execute(db);
  const because = few('link', links);
  return found.rows.map(({ id }) => ({ id, because }));
}

async function routedOtherwise(db: Executor, { links, nodes }: TedChanges['rerouting']): Promise<Found[]> {
  const because = [...few('link', links), ...few('node', nodes)];
  if (because.length === 0) return [];
  const found = await sql<Row>`
    select policy_id as id from policy_state where array_position(segment_igp, null) is not null
  `.execute(db);
  return found.rows.map(({ id }) => ({ id, because }));
}

async function improvable(
  db: Executor,
  snapshot: Snapshot,
  objective: (typeof OBJECTIVES)[number],
  links: readonly LinkId[],
): Promise<Found[]> {
  const through = distancesThrough(snapshot, links, objective, 'usable');
  if (through === undefined) return [];
  // Stored in ppm, compared as the distances of `lossDistance`; nothing above 999,999 ppm is told apart.
  const value = objective === 'loss' ? sql`-1e6 * ln(1 - least(s.metric_value, 999999) / 1e6)` : sql`s.metric_value`;
  const found = await sql<Row>`
    with head (id, d) as (select * from unnest(${through.before.ids}::text[], ${through.before.values}::float8[])),
      tail (id, d) as (select * from unnest(${through.after.ids}::text[], ${through.after.values}::float8[]))
    select s.policy_id as id
    from policy_state s
    join sr_policy p on p.id = s.policy_id
    join head on head.id = p.headend
    join tail on tail.id = p.endpoint
    where s.metric = ${objective} and head.d + tail.d < ${value}
  `.execute(db);
  const because = few('link', links);
  return found.rows.map(({ id }) => ({ id, because }));
}

interface NodeDistances {
  readonly ids: readonly NodeId[];
  readonly values: readonly number[];
}

/**
 * For several links at once: the distance of each node to the nearest of them, and from the nearest (that link included)
 * to each node. Their sum bounds from below every path over any of the links; for one link it is exact.
 */
function distancesThrough(
  snapshot: Snapshot,
  links: readonly LinkId[],
  metric: (typeof OBJECTIVES)[number],
  arcs: 'igp' | 'usable',
): { readonly before: NodeDistances; readonly after: NodeDistances } | undefined {
  const usable = links.map((link) => snapshot.arcOf(link)).filter((arc) => arc >= 0 && snapshot.isUsable(arc));
  if (usable.length === 0) return undefined;
  const length = metricOf(snapshot, metric);
  const before = usable.map((arc) => ({ node: snapshot.data.arcFrom[arc] as number, distance: 0 }));
  const after = usable.map((arc) => ({ node: snapshot.data.arcTo[arc] as number, distance: length(arc) }));
  return {
    before: finite(snapshot, distances(snapshot, { metric, direction: 'to', origins: before, arcs })),
    after: finite(snapshot, distances(snapshot, { metric, direction: 'from', origins: after, arcs })),
  };
}

function finite(snapshot: Snapshot, found: Float64Array): NodeDistances {
  const ids: NodeId[] = [];
  const values: number[] = [];
  found.forEach((distance, node) => {
    if (distance === Infinity) return;
    ids.push(snapshot.nodeIdOf(node));
    values.push(distance);
  });
  return { ids, values };
}
