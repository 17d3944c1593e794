import type { Logger } from 'pino';
import type { EventBus } from '../model/ports.js';
import type { Database } from '../storage/database.js';
import { agentStateSql, type AgentState } from '../storage/agent-state.js';
import { pause } from '../model/pause.js';

const POLL_MS = 1_000;

/** Emits `agent.state` whenever an agent becomes connected or unknown, on whichever controller its session is. */
export class AgentStateWatcher {
  readonly #db: Database;
  readonly #events: EventBus;
  readonly #log: Logger;
  readonly #stopping = new AbortController();
  #states: ReadonlyMap<string, AgentState> | undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(options: { db: Database; events: EventBus; log: Logger }) {
    this.#db = options.db;
    this.#events = options.events;
    this.#log = options.log;
  }

  start(): void {
    this.#running = this.#watch(this.#stopping.signal);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #watch(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.#look();
      } catch (error) {
        this.#log.warn({ err: error }, 'the states of the agents cannot be read');
      }
      await pause(POLL_MS, signal);
    }
  }

  async #look(): Promise<void> {
    const rows = await this.#db
      .selectFrom('agent')
      .select(['node_id', 'dataplane', agentStateSql.as('state')])
      .execute();
    const before = this.#states;
    this.#states = new Map(rows.map((row) => [row.node_id, row.state]));
    // The first look after a start only learns what is; nothing has changed.
    if (before === undefined) return;
    for (const { node_id: node, dataplane, state } of rows) {
      if (before.get(node) === state) continue;
      this.#events.emit({ type: 'agent.state', at: new Date().toISOString(), data: { node, state, dataplane } });
    }
  }
}
