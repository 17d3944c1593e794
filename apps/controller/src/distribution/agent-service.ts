import { FEATURES } from '@waymark/agent-protocol';
import { sql, type Transaction } from 'kysely';
import { Problem } from '../model/errors.js';
import type { NodeId } from '@waymark/topology';
import type { Journal } from '../model/journal.js';
import type { AgentService, AgentView, DataPlaneView } from '../model/agents.js';
import type { Page, PageRequest } from '../model/ports.js';
import type { Actor } from '../model/topology.js';
import type { Database, Tables } from '../storage/database.js';
import { agentStateSql } from '../storage/agent-state.js';
import { removeAgent } from './agent-removal.js';
import { readDataPlane } from './data-plane-store.js';

interface AgentFilter {
  readonly state?: string;
  readonly dataplane?: string;
}

/** What other rooms do when an agent goes for good. */
export interface AgentDeparture {
  readonly journal: Journal;
  /** Withdraws what the agent said of its node, in the transaction in which `remove` takes away the rest of it. */
  readonly withdraw: (
    node: NodeId,
    actor: Actor,
    remove: (tx: Transaction<Tables>) => Promise<object>,
  ) => Promise<void>;
  /** Nobody will acknowledge what the headend was told to remove. */
  readonly onGone: (tx: Transaction<Tables>, headend: NodeId) => Promise<void>;
}

/** Agents as operators see them: every one that has ever connected and was not removed, in order of node id. */
export class AgentDirectory implements AgentService {
  readonly #db: Database;
  readonly #departure: AgentDeparture;

  constructor(db: Database, departure: AgentDeparture) {
    this.#db = db;
    this.#departure = departure;
  }

  async agents(filter: AgentFilter, page: PageRequest): Promise<Page<AgentView>> {
    let query = selectAgents(this.#db)
      .orderBy('agent.node_id')
      .limit(page.limit + 1);
    if (page.after !== undefined) query = query.where('agent.node_id', '>', page.after);
    if (filter.dataplane !== undefined) query = query.where('agent.dataplane', '=', filter.dataplane);
    if (filter.state !== undefined) query = query.where(sql<boolean>`${agentStateSql} = ${filter.state}`);
    const rows = await query.execute();
    const items = rows.slice(0, page.limit).map(viewOf);
    return { items, next: rows.length > page.limit ? (items.at(-1)?.node ?? null) : null };
  }

  /** Throws `not-found` for a node whose agent never connected. */
  async agent(node: string): Promise<AgentView> {
    const row = await selectAgents(this.#db).where('agent.node_id', '=', node).executeTakeFirst();
    if (row === undefined) throw new Problem('not-found', { detail: `No agent of node "${node}" has ever connected.` });
    return viewOf(row);
  }

  async remove(node: NodeId, actor: Actor): Promise<void> {
    const { journal, withdraw, onGone } = this.#departure;
    await withdraw(node, actor, async (tx) => {
      const removed = await removeAgent(tx, node, journal);
      await onGone(tx, node);
      return removed;
    });
  }

  /** Throws `not-found` as `agent` does. */
  async dataPlane(node: string): Promise<DataPlaneView> {
    const report = await readDataPlane(this.#db, node);
    if (report === null) await this.agent(node);
    return { node, report };
  }
}

function selectAgents(db: Database) {
  return db
    .selectFrom('agent')
    .leftJoin('headend', 'headend.node_id', 'agent.node_id')
    .leftJoinLateral(
      (eb) =>
        eb
          .selectFrom('desired')
          .select([
            sql<number>`count(*)`.as('total'),
            sql<number>`count(*) filter (where outcome = 'installed')`.as('installed'),
            sql<number>`count(*) filter (where outcome = 'simulated')`.as('simulated'),
            sql<number>`count(*) filter (where outcome = 'pending')`.as('pending'),
            sql<number>`count(*) filter (where outcome = 'failed')`.as('failed'),
          ])
          .whereRef('desired.headend', '=', 'agent.node_id')
          .where('desired.deleted', '=', false)
          // Service classes are no policies.
          .where(sql<boolean>`split_part(desired.policy_id, ':', 3) <> desired.headend`)
          .as('policies'),
      (join) => join.onTrue(),
    )
    .selectAll('policies')
    .select([
      'agent.node_id as node',
      agentStateSql.as('state'),
      'agent.agent_version as agentVersion',
      'agent.protocol_version as protocolVersion',
      // Of an agent that no controller has asked, nobody knows.
      sql<readonly string[]>`coalesce(agent.features, ${[...FEATURES]}::text[])`.as('features'),
      'agent.dataplane',
      'agent.controller',
      'agent.last_seen as lastSeen',
      'agent.bus',
      'agent.dataplane_error as dataplaneError',
      'agent.drift_repairs as driftRepairs',
      'agent.epoch',
      'agent.generation',
      'headend.epoch as desiredEpoch',
      'headend.generation as desiredGeneration',
      sql<boolean | null>`agent.generation = headend.generation and headend.acked_generation = headend.generation
        and headend.read_back_hash = headend.state_hash`.as('inSync'),
    ]);
}

type AgentRow = Awaited<ReturnType<ReturnType<typeof selectAgents>['execute']>>[number];

function viewOf(row: AgentRow): AgentView {
  return {
    node: row.node,
    state: row.state,
    agentVersion: row.agentVersion,
    protocolVersion: row.protocolVersion,
    lacks: FEATURES.filter((feature) => !row.features.includes(feature)),
    dataplane: row.dataplane,
    controller: row.controller,
    lastSeen: row.lastSeen.toISOString(),
    goneSince: row.state === 'connected' ? null : row.lastSeen.toISOString(),
    bus: row.bus,
    dataplaneError: row.dataplaneError,
    driftRepairs: row.driftRepairs,
    desired: { epoch: row.desiredEpoch ?? 0, generation: row.desiredGeneration ?? 0 },
    accepted: { epoch: row.epoch, generation: row.generation },
    // A node that never had a policy has nothing to be out of step with.
    inSync: row.inSync ?? row.generation === 0,
    policies: {
      total: row.total ?? 0,
      installed: row.installed ?? 0,
      simulated: row.simulated ?? 0,
      pending: row.pending ?? 0,
      failed: row.failed ?? 0,
    },
  };
}
