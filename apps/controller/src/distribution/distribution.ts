import { Signer, type Bus } from '@waymark/agent-protocol';
import type { Logger } from 'pino';
import type { Journal } from '../model/journal.js';
import type { AgentService } from '../model/agents.js';
import type { EventBus } from '../model/ports.js';
import type { Database } from '../storage/database.js';
import { announcedEvents, announceEvents, EVENT_CHANNEL } from '../storage/event-channel.js';
import type { OnAcked } from './ack-store.js';
import type { AgentAccess } from './agent-access.js';
import { followFeatures } from './agent-features.js';
import { AgentServer, type AgentServerOptions } from './agent-server.js';
import { AgentDirectory, type AgentDeparture } from './agent-service.js';
import { AgentStateWatcher } from './agent-state-watcher.js';
import { CommitListener } from './commit-listener.js';
import { DESIRED_CHANNEL } from './desired-store.js';
import { guardGenerations } from './generation-guard.js';
import { loadIdentity, type ControllerIdentity } from './identity.js';
import type { Leadership } from './leadership.js';
import { Publisher } from './publisher.js';

export interface DistributionOptions {
  /** Leads to Postgres itself, not to a pooler: leadership and LISTEN need sessions of their own. */
  readonly databaseUrl: string;
  readonly db: Database;
  /** Started and stopped with the rest. */
  readonly leadership: Leadership;
  readonly bus: Bus;
  readonly events: EventBus;
  readonly log: Logger;
  /** Names this controller to operators. */
  readonly controller: string;
  readonly access: AgentAccess;
  readonly heartbeatIntervalMs: number;
  readonly journal: Journal;
  readonly onAcked: OnAcked;
  readonly onHellos: AgentServerOptions['onHellos'];
  readonly departure: AgentDeparture;
}

/** Everything between desired state in Postgres and the agents, wired together. The bus is not closed with it. */
export class Distribution {
  readonly identity: ControllerIdentity;
  readonly leadership: Leadership;
  readonly publisher: Publisher;
  readonly server: AgentServer;
  readonly agents: AgentService;
  readonly #listener: CommitListener;
  readonly #watcher: AgentStateWatcher;

  private constructor(identity: ControllerIdentity, options: DistributionOptions) {
    const { databaseUrl, db, bus, events, log, controller } = options;
    this.identity = identity;
    this.leadership = options.leadership;
    this.server = new AgentServer({ ...options, identity });
    this.publisher = new Publisher({
      instance: identity.instance,
      bus,
      signer: new Signer(identity.signingKey.privateKey),
      onPublished: (published) => this.server.announce(published),
    });
    this.agents = new AgentDirectory(db, options.departure);
    this.#listener = new CommitListener({
      url: databaseUrl,
      log,
      channels: {
        [DESIRED_CHANNEL]: () => this.server.announceAll(),
        [EVENT_CHANNEL]: (payload) => emitAnnounced(payload, events),
      },
      onMissed: () => {
        this.server.announceAll();
        events.gap('this controller may have missed events of others');
      },
    });
    this.#watcher = new AgentStateWatcher({ db, events, log });
    const { journal } = options;
    const asLeader = { db, journal, leadership: this.leadership, publisher: this.publisher, log };
    guardGenerations(asLeader);
    followFeatures(asLeader);
    this.leadership.onLead((epoch) => {
      const at = new Date().toISOString();
      announceEvents(db, [{ type: 'leader.elected', at, data: { epoch, holder: controller } }]).catch(
        (error: unknown) => log.warn({ err: error }, 'the election is not announced'),
      );
    });
  }

  /** Reads the identity of the installation; nothing runs yet. */
  static async create(options: DistributionOptions): Promise<Distribution> {
    return new Distribution(await loadIdentity(options.db), options);
  }

  /** Listens for agents on `host:port`, resolves with the port, and contends for leadership. */
  async start(address: string): Promise<number> {
    await this.#listener.start();
    try {
      const port = await this.server.start(address);
      this.#watcher.start();
      this.leadership.start();
      return port;
    } catch (error) {
      await this.#listener.stop();
      throw error;
    }
  }

  /** Gives up leadership first, so that another controller takes over while the sessions here end. */
  async stop(): Promise<void> {
    await this.leadership.stop();
    await Promise.all([this.server.stop(), this.#listener.stop(), this.#watcher.stop()]);
  }
}

function emitAnnounced(payload: string, events: EventBus): void {
  try {
    for (const event of announcedEvents(payload)) events.emit(event);
  } catch (error) {
    events.gap(`an announcement cannot be read: ${String(error)}`);
  }
}
