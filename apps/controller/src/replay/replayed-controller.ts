import type { Logger } from 'pino';
import { ApiKeys } from '../access/api-keys.js';
import { AuditLog } from '../access/audit-log.js';
import { KnownKeys } from '../access/known-keys.js';
import { buildApp } from '../api/app.js';
import type { ApiApp } from '../api/type-provider.js';
import { createCore, type Core } from '../core.js';
import { AgentDirectory } from '../distribution/agent-service.js';
import { fencedTransaction } from '../distribution/fence.js';
import { EventHub } from '../event-hub.js';
import type { Identity } from '../model/access.js';
import type { Services } from '../model/ports.js';
import type { RecordedSettings, RequestInput } from '../model/recording.js';
import { noRefusals } from '../model/agents.js';
import type { Database } from '../storage/database.js';
import type { ReplayedJournal } from './replayed-journal.js';

/** None is under way: nobody is connected. */
const noSnapshots = { underWay: 0, waiting: 0, sent: 0, unchanged: 0, policies: 0, refused: 0 };

const inOrder = { ok: true, detail: 'replays' };

/**
 * A controller that nothing but a recording moves: its core and its API as they are, without listeners, leader or agents.
 * Who makes a request is what the recording says.
 */
export class ReplayedController {
  readonly core: Core;
  readonly app: ApiApp;
  readonly #running: (() => Promise<unknown>)[];
  readonly #caller: Caller;

  private constructor(core: Core, app: ApiApp, running: (() => Promise<unknown>)[], caller: Caller) {
    this.core = core;
    this.app = app;
    this.#running = running;
    this.#caller = caller;
  }

  static async start(options: {
    readonly db: Database;
    readonly databaseUrl: string;
    readonly journal: ReplayedJournal;
    readonly settings: RecordedSettings;
    readonly log: Logger;
  }): Promise<ReplayedController> {
    const { db, databaseUrl, journal, settings, log } = options;
    const running: (() => Promise<unknown>)[] = [];
    const core = createCore(
      {
        ...{ db, databaseUrl, journal, log },
        settings: { ...settings, name: 'replay' },
        fenced: (epoch, work) => fencedTransaction(db, epoch, work),
      },
      running,
    );
    await core.topology.start();
    running.push(() => core.topology.stop());
    const caller = new Caller();
    const services: Services = {
      ...{ topology: core.topology, policies: core.policies, serviceClasses: core.serviceClasses },
      ...{ paths: core.paths, pathBatches: core.pathBatches, sweeps: core.sweeps, jobs: core.jobs },
      agents: new AgentDirectory(db, core.departure),
      sessions: { counts: () => ({ sessions: 0, welcomed: 0, refused: noRefusals, snapshots: noSnapshots }) },
      controllers: { leads: true, controllers: () => Promise.resolve({ epoch: 0, leader: null, items: [] }) },
      clusters: () => [],
      events: new EventHub(),
      access: { isOpen: true, identify: () => Promise.resolve(caller.identity) },
      apiKeys: new ApiKeys(db, new KnownKeys(db, () => performance.now()), () => new Date(journal.now())),
      audit: new AuditLog(db),
      health: () => Promise.resolve({ live: true, ready: true, checks: { database: inOrder, access: inOrder } }),
    };
    const app = await buildApp(services, { version: '', logger: log, newRequestId: () => caller.requestId });
    running.push(() => app.close());
    return new ReplayedController(core, app, running, caller);
  }

  /** The answer to a request, made by whoever made it. */
  async request(input: RequestInput) {
    const { method, url, headers, body } = input;
    this.#caller.is(input);
    return this.app.inject({
      method: method as 'POST',
      url,
      headers,
      ...(body === undefined ? {} : { payload: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
  }

  async stop(): Promise<void> {
    for (let end = this.#running.pop(); end !== undefined; end = this.#running.pop()) await end();
  }
}

/** Who asks, in requests one after the other. */
class Caller {
  identity: Identity = { name: 'nobody', role: 'viewer', operations: [], credential: 'anonymous' };
  requestId = '';

  is({ identity, requestId }: RequestInput): void {
    this.identity = identity;
    this.requestId = requestId;
  }
}
