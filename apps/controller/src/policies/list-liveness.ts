import { sql, type RawBuilder } from 'kysely';
import { ipv6ToBytes, type AddressFamily } from '@waymark/topology';
import type { LivenessCounts } from '../model/ports.js';
import type { ListLiveness, Liveness, PolicyLiveness, PolicyList, ProbedList } from '../model/sr-policy.js';
import { agentStateSql } from '../storage/agent-state.js';
import type { Executor } from './policy-intents.js';

/*
 * What headends found by probing, as operators see it. An agent that is silent, or whose session has ended, says nothing
 * of now: what it told last is stale, and its lists are unknown, never down.
 */

/** Rows of list_liveness that their agent has not voided since. */
const told: RawBuilder<unknown> = sql`
  list_liveness l
  join liveness_round r on r.headend = l.headend and r.round = l.round
  left join agent on agent.node_id = l.headend
`;

/** Does the agent of such a row still speak in the session in which it told this? */
const current: RawBuilder<boolean> = sql<boolean>`
  coalesce(agent.session = r.session and agent.disconnected_at is null and ${agentStateSql} = 'connected', false)
`;

interface Row {
  readonly policyId: string;
  readonly family: AddressFamily;
  readonly standby: boolean;
  readonly sids: Buffer;
  readonly current: boolean;
  readonly state: Liveness;
  readonly since: Date;
  readonly inUse: boolean;
  readonly probesSent: number;
  readonly probesLost: number;
  readonly min: number | null;
  readonly average: number | null;
  readonly max: number | null;
  readonly reportedAt: Date;
}

/** What is known of the lists of some policies. */
export class KnownLiveness {
  readonly #rows: ReadonlyMap<string, Row>;

  private constructor(rows: ReadonlyMap<string, Row>) {
    this.#rows = rows;
  }

  static async load(db: Executor, policyIds: readonly string[]): Promise<KnownLiveness> {
    const found = await sql<Row>`
      select l.policy_id as "policyId", l.family, l.standby, l.sids, ${current} as current, l.state, l.since, l.in_use as "inUse",
        l.probes_sent as "probesSent", l.probes_lost as "probesLost", l.round_trip_min_us as min,
        l.round_trip_avg_us as average, l.round_trip_max_us as max, l.reported_at as "reportedAt"
      from ${told}
      where l.policy_id = any(${policyIds}::text[])
    `.execute(db);
    return new KnownLiveness(
      new Map(found.rows.map((row) => [keyOf(row.policyId, row.family, row.standby, row.sids.toString('hex')), row])),
    );
  }

  /** The lists, each with what probes through its finished lists found. */
  probed(policyId: string, lists: readonly PolicyList[], standby: boolean): ProbedList[] {
    if (this.#rows.size === 0) return lists.map((list) => ({ ...list, liveness: [] }));
    return lists.map((list) => ({
      ...list,
      liveness: list.segmentLists.flatMap(({ family, entries }) => {
        if (family === null) return [];
        const sids = entries.map(({ address }) => Buffer.from(ipv6ToBytes(address)).toString('hex')).join('');
        const row = this.#rows.get(keyOf(policyId, family, standby, sids));
        return row === undefined ? [] : [viewOf(row)];
      }),
    }));
  }
}

function keyOf(policyId: string, family: AddressFamily, standby: boolean, sids: string): string {
  return `${policyId} ${family} ${standby} ${sids}`;
}

function viewOf(row: Row): ListLiveness {
  const { family, current, probesSent, probesLost, min, average, max } = row;
  return {
    family,
    state: current ? row.state : 'unknown',
    stale: !current,
    since: current ? row.since.toISOString() : null,
    inUse: current ? row.inUse : null,
    probesSent,
    probesLost,
    roundTripUs: min === null || average === null || max === null ? null : { min, average, max },
    reportedAt: row.reportedAt.toISOString(),
  };
}

/** Of a candidate path: down when none of its lists delivers. */
export function livenessOf(lists: readonly ProbedList[]): Liveness {
  const states = lists.flatMap(({ liveness }) => liveness.map(({ state }) => state));
  if (states.includes('up')) return 'up';
  return states.length > 0 && states.every((state) => state === 'down') ? 'down' : 'unknown';
}

/** The same as `policyLivenessSql`, of the lists that the policy has now. */
export function policyLiveness(active: readonly ProbedList[], standby: readonly ProbedList[]): PolicyLiveness {
  if (standby.some(({ liveness }) => liveness.some(({ inUse }) => inUse === true))) return 'standby';
  const states = active.flatMap(({ liveness }) => liveness.map(({ state }) => state));
  if (states.length > 0 && states.every((state) => state === 'down')) return 'down';
  if (states.includes('down')) return 'degraded';
  return states.includes('up') ? 'up' : 'unknown';
}

/** The liveness of the policy with this id, of all lists that its headend told of last. */
export function policyLivenessSql(policyId: RawBuilder<unknown>): RawBuilder<PolicyLiveness> {
  return sql<PolicyLiveness>`(
    select case
      when bool_or(l.standby and l.in_use) filter (where ${current}) then 'standby'
      when bool_and(${current} and l.state = 'down') filter (where not l.standby) then 'down'
      when bool_or(${current} and l.state = 'down') filter (where not l.standby) then 'degraded'
      when bool_or(${current} and l.state = 'up') filter (where not l.standby) then 'up'
      else 'unknown' end
    from ${told}
    where l.policy_id = ${policyId}
  )`;
}

export async function livenessCounts(db: Executor): Promise<LivenessCounts> {
  const found = await sql<{ standby: boolean; state: Liveness; lists: number }>`
    select l.standby, case when ${current} then l.state else 'unknown' end as state, count(*) as lists
    from ${told} group by 1, 2
  `.execute(db);
  const count = (standby: boolean, state: Liveness) =>
    found.rows.find((row) => row.standby === standby && row.state === state)?.lists ?? 0;
  const of = (standby: boolean) => ({
    up: count(standby, 'up'),
    down: count(standby, 'down'),
    unknown: count(standby, 'unknown'),
  });
  const using = await sql<{ headends: number; policies: number }>`
    select count(distinct l.headend) as headends, count(distinct l.policy_id) as policies
    from ${told} where l.standby and l.in_use and ${current}
  `.execute(db);
  const { headends, policies } = using.rows[0] ?? { headends: 0, policies: 0 };
  return { active: of(false), standby: of(true), headendsOnStandby: headends, policiesOnStandby: policies };
}
