import { randomUUID } from 'node:crypto';
import { HEARTBEAT_INTERVAL_MS, MISSED_HEARTBEATS } from '@waymark/agent-protocol';
import { sql, type RawBuilder } from 'kysely';
import type { Logger } from 'pino';
import type { ControllerState, ControllersView } from '../model/controllers.js';
import type { ControllerService } from '../model/ports.js';
import { pause } from '../model/pause.js';
import type { Database } from '../storage/database.js';
import type { Leadership } from './leadership.js';

/** One that has been silent for so long is of no interest any more. */
const FORGOTTEN_AFTER = '1 day';

/** By the clock of the database, which all controllers share; they tell of themselves as often as agents do. */
const isHeard: RawBuilder<boolean> = sql<boolean>`
  (c.last_seen > clock_timestamp() - make_interval(secs => ${(MISSED_HEARTBEATS * HEARTBEAT_INTERVAL_MS) / 1_000}))
`;

export interface PresenceOptions {
  readonly db: Database;
  readonly leadership: Leadership;
  readonly log: Logger;
  readonly name: string;
  readonly version: string;
  /** The newest revision that this controller's view of the topology shows. */
  readonly seenRevision: () => number;
}

/** What each controller of the installation tells of itself, so that any of them can tell of all. */
export class ControllerPresence implements ControllerService {
  readonly #options: PresenceOptions;
  readonly #id = randomUUID();
  readonly #stopping = new AbortController();
  #waiting = new AbortController();
  #running: Promise<void> = Promise.resolve();

  constructor(options: PresenceOptions) {
    this.#options = options;
    options.leadership.onLead((_, signal) => {
      this.#waiting.abort();
      signal.addEventListener('abort', () => this.#waiting.abort());
    });
  }

  start(): void {
    this.#running = this.#tellAgainAndAgain();
  }

  /** Takes back what was told. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#waiting.abort();
    await this.#running;
    await sql`delete from controller where id = ${this.#id}`
      .execute(this.#options.db)
      .catch((error: unknown) =>
        this.#options.log.warn({ err: error }, 'others will take this controller for a silent one for a day'),
      );
  }

  get leads(): boolean {
    return this.#options.leadership.epoch !== undefined;
  }

  async controllers(): Promise<ControllersView> {
    const { rows } = await sql<{
      epoch: number;
      since: Date | null;
      id: string | null;
      name: string;
      state: ControllerState;
      version: string;
      started_at: Date;
      last_seen: Date;
      revision: number;
      behind_ms: number;
    }>`
      select l.epoch, l.since, c.id, c.name, c.version, c.started_at, c.last_seen, c.revision, c.behind_ms,
        case when not ${isHeard} then 'silent' when c.epoch = l.epoch then 'leads' else 'follows' end as state
      from leader l left join controller c on true
      order by c.name collate "C", c.id
    `.execute(this.#options.db);
    const items = rows.flatMap((row) =>
      row.id === null
        ? []
        : {
            id: row.id,
            name: row.name,
            self: row.id === this.#id,
            state: row.state,
            version: row.version,
            startedAt: row.started_at.toISOString(),
            lastSeen: row.last_seen.toISOString(),
            revision: row.revision,
            behindMs: row.behind_ms,
          },
    );
    const leader = items.find(({ state }) => state === 'leads');
    const since = rows[0]?.since;
    return {
      epoch: rows[0]?.epoch ?? 0,
      leader: leader && since ? { id: leader.id, name: leader.name, since: since.toISOString() } : null,
      items,
    };
  }

  async #tellAgainAndAgain(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      this.#waiting = new AbortController();
      // A database that is out of reach is told of by everybody else.
      await this.#tell().catch(() => undefined);
      await pause(HEARTBEAT_INTERVAL_MS, this.#waiting.signal);
    }
  }

  async #tell(): Promise<void> {
    const { db, leadership, name, version, seenRevision } = this.#options;
    const seen = seenRevision();
    await sql`
      with forgotten as (
        delete from controller where last_seen < clock_timestamp() - ${FORGOTTEN_AFTER}::interval
      )
      insert into controller as c (id, name, version, started_at, last_seen, epoch, revision, behind_ms)
      values (
        ${this.#id}, ${name}, ${version}, clock_timestamp(), clock_timestamp(), ${leadership.epoch ?? null}, ${seen},
        coalesce((
          select greatest(0, ceil(1000 * extract(epoch from clock_timestamp() - r.at)))
          from revision r where r.revision = ${seen + 1}
        ), 0)
      )
      on conflict (id) do update set last_seen = excluded.last_seen, epoch = excluded.epoch,
        revision = excluded.revision, behind_ms = excluded.behind_ms
    `.execute(db);
  }
}
