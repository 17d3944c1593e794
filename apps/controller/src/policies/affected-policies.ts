import { sql } from 'kysely';
import type { LinkId, NodeId, Snapshot } from '@waymark/topology';
import { distances, metricOf } from '../compute/distances.js';
import { MOVE_GAIN } from '../compute/evaluate-policies-constants.js';
import type { Executor } from './policy-intents.js';
import type { TedChanges } from './ted-changes.js';

/** Policies to evaluate, and whether something better may exist for them. */
export type Affected = Map<string, { readonly reoptimise: boolean }>;

export interface AffectedQuery {
  readonly snapshot: Snapshot;
  readonly changes: TedChanges;
  /** Links that are better than before and may be used: improved ones not on hold, and those whose hold is over. */
  readonly improved: readonly LinkId[];
}

const OBJECTIVES = ['igp', 'te', 'delay', 'hop'] as const;

/**
 * The policies that a change of the topology can affect, and no others:
 *
 * - what got worse, or merely different, concerns those whose traffic crosses it (arrays of policy_state, indexed);
 * - what the IGP may now send elsewhere concerns those with a segment that it shifts: d(from, link) + d(link, to) is no
 *   longer than the segment was;
 * - what got better concerns those whose best conceivable path over it beats what they have by enough to move; the
 *   distances ignore all constraints, so they can only name too many;
 * - and whoever wanted something better in vain is tried again whenever anything got better.
 */
export async function affectedPolicies(db: Executor, query: AffectedQuery): Promise<Affected> {
  const { changes, improved, snapshot } = query;
  const affected: Affected = new Map();
  const add = (ids: readonly string[], reoptimise: boolean): void => {
    for (const id of ids) {
      if (reoptimise || !affected.has(id)) affected.set(id, { reoptimise });
    }
  };
  add(await crossing(db, changes.links, changes.transit), false);
  add(await attachedTo(db, snapshot, changes.links), false);
  add(await between(db, changes.headends, changes.endpoints), true);
  add(await shifted(db, snapshot, changes.attracting), false);
  const better = improved.length > 0 || changes.transit.length > 0 || changes.improved.length > 0;
  if (better) add(await unsettled(db), true);
  for (const objective of OBJECTIVES) add(await improvable(db, snapshot, objective, improved), true);
  return affected;
}

/** Policies in want of bandwidth. */
export async function starvedPolicies(db: Executor): Promise<string[]> {
  return idsOf(await sql<Row>`select policy_id as id from policy_state where starved`.execute(db));
}

/** Headends with default steering to any of these endpoints. */
export async function headendsSteeringTo(db: Executor, endpoints: readonly NodeId[]): Promise<NodeId[]> {
  if (endpoints.length === 0) return [];
  return idsOf(
    await sql<Row>`
      select distinct headend as id from sr_policy where endpoint = any(${endpoints}::text[]) and steered_prefixes is null
    `.execute(db),
  );
}

interface Row {
  readonly id: string;
}

function idsOf(result: { readonly rows: readonly Row[] }): string[] {
  return result.rows.map(({ id }) => id);
}

async function crossing(db: Executor, links: readonly LinkId[], nodes: readonly NodeId[]): Promise<string[]> {
  if (links.length === 0 && nodes.length === 0) return [];
  return idsOf(
    await sql<Row>`
      select policy_id as id from policy_state where link_ids && ${links}::text[]
      union
      select policy_id from policy_state where node_ids && ${nodes}::text[]
    `.execute(db),
  );
}

/** A host's first and last links follow rules of their own, which any change of one of its links can tip. */
async function attachedTo(db: Executor, snapshot: Snapshot, links: readonly LinkId[]): Promise<string[]> {
  const heads = new Set<NodeId>();
  const ends = new Set<NodeId>();
  for (const link of links) {
    const arc = snapshot.arcOf(link);
    if (arc < 0) continue;
    const from = snapshot.data.arcFrom[arc] as number;
    const to = snapshot.data.arcTo[arc] as number;
    if (snapshot.isHost(from)) heads.add(snapshot.nodeIdOf(from));
    if (snapshot.isHost(to)) ends.add(snapshot.nodeIdOf(to));
  }
  return between(db, [...heads], [...ends]);
}

async function between(db: Executor, heads: readonly NodeId[], ends: readonly NodeId[]): Promise<string[]> {
  if (heads.length === 0 && ends.length === 0) return [];
  return idsOf(
    await sql<Row>`
      select id from sr_policy where headend = any(${heads}::text[]) or endpoint = any(${ends}::text[])
    `.execute(db),
  );
}

async function unsettled(db: Executor): Promise<string[]> {
  return idsOf(await sql<Row>`select policy_id as id from policy_state where unsettled`.execute(db));
}

async function shifted(db: Executor, snapshot: Snapshot, links: readonly LinkId[]): Promise<string[]> {
  const through = distancesThrough(snapshot, links, 'igp', 'igp');
  if (through === undefined) return [];
  return idsOf(
    await sql<Row>`
      with head (id, d) as (select * from unnest(${through.before.ids}::text[], ${through.before.values}::float8[])),
        tail (id, d) as (select * from unnest(${through.after.ids}::text[], ${through.after.values}::float8[]))
      select distinct s.policy_id as id
      from policy_state s
      cross join lateral unnest(s.segment_from, s.segment_to, s.segment_igp) as g (source, target, igp)
      join head on head.id = g.source
      join tail on tail.id = g.target
      where head.d + tail.d <= g.igp
    `.execute(db),
  );
}

async function improvable(
  db: Executor,
  snapshot: Snapshot,
  objective: (typeof OBJECTIVES)[number],
  links: readonly LinkId[],
): Promise<string[]> {
  const through = distancesThrough(snapshot, links, objective, 'usable');
  if (through === undefined) return [];
  return idsOf(
    await sql<Row>`
      with head (id, d) as (select * from unnest(${through.before.ids}::text[], ${through.before.values}::float8[])),
        tail (id, d) as (select * from unnest(${through.after.ids}::text[], ${through.after.values}::float8[]))
      select s.policy_id as id
      from policy_state s
      join sr_policy p on p.id = s.policy_id
      join head on head.id = p.headend
      join tail on tail.id = p.endpoint
      where s.metric = ${objective} and head.d + tail.d <= s.metric_value * ${1 - MOVE_GAIN}::float8
    `.execute(db),
  );
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
