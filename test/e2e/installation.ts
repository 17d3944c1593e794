import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { agentStateSql } from '../../apps/controller/src/storage/agent-state.js';
import { writeAdminKey, type AdminKey } from '../../apps/controller/src/testing/admin-key.js';
import { eventually } from '../../apps/controller/src/testing/eventually.js';
import { createTestDatabase, type TestDatabase } from '../../apps/controller/src/testing/test-database.js';
import { freePort, ManagedProcess } from '../lab/managed-process.js';
import { RedisServer } from '../../packages/agent-protocol/src/testing/redis-server.js';
import { root } from '../started-system.js';
import { BreakableConnection } from './breakable-connection.js';

const STARTED_MS = 120_000;
/** Whoever is asked may be stopped. */
const REQUEST_MS = 5_000;

/** What a request was answered with. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** undefined: it had no JSON body. */
  readonly body: unknown;
}

/** One controller, as it is shipped, in a process of its own. */
export interface ControllerProcess {
  readonly name: string;
  readonly url: string;
  readonly grpcAddress: string;
  /** To Postgres and to Redis. */
  readonly postgres: BreakableConnection;
  readonly redis: BreakableConnection;
  readonly process: ManagedProcess;
}

/** Several controllers and agents on one Postgres and one Redis: each a process, as in production, with dry-run data planes. */
export class Installation {
  readonly database: TestDatabase;
  readonly key: AdminKey;
  readonly folder: string;
  readonly controllers: ControllerProcess[] = [];
  readonly agents = new Map<string, ManagedProcess>();
  readonly #redis: RedisServer;
  readonly #connections: BreakableConnection[] = [];

  private constructor(database: TestDatabase, folder: string, redis: RedisServer) {
    this.database = database;
    this.folder = folder;
    this.key = writeAdminKey(folder);
    this.#redis = redis;
  }

  /** Controllers of these names, all begun at the same time, on a database with the demo topology. */
  static async start(names: readonly string[]): Promise<Installation> {
    const folder = await mkdtemp(join(tmpdir(), 'waymark-several-'));
    await chmod(folder, 0o755);
    const installation = new Installation(await createTestDatabase(), folder, await RedisServer.start());
    try {
      installation.controllers.push(...(await Promise.all(names.map((name) => installation.#newController(name)))));
    } catch (error) {
      await installation.stop();
      throw error;
    }
    return installation;
  }

  controller(name: string): ControllerProcess {
    const found = this.controllers.find((controller) => controller.name === name);
    if (found === undefined) throw new Error(`there is no controller ${name}`);
    return found;
  }

  /** Once more, on the same ports, after it was killed. */
  async restart({ name }: ControllerProcess): Promise<void> {
    const index = this.controllers.findIndex((controller) => controller.name === name);
    const before = this.controller(name);
    this.controllers[index] = { ...before, process: await this.#run(before) };
  }

  /** An agent that knows these addresses of controllers, in that order. */
  startAgent(node: string, controllers: readonly string[]): void {
    const agent = ManagedProcess.spawn(
      `agent of ${node}`,
      [process.execPath, join(root, 'apps/node-agent/dist/main.js')],
      {
        WAYMARK_NODE_ID: node,
        WAYMARK_CONTROLLER: controllers.join(','),
        WAYMARK_DATA_DIR: join(this.folder, 'agents'),
        WAYMARK_DRY_RUN_FILE: this.stepsOf(node),
        WAYMARK_STATUS_PORT: '0',
        REDIS_URL: this.#redis.url,
      },
    );
    this.agents.set(node, agent);
  }

  /** The file that names each step of a data plane. */
  stepsOf(node: string): string {
    return join(this.folder, `${node}.steps`);
  }

  /** The controller that leads, by the database. */
  async leader(): Promise<{ readonly controller: ControllerProcess; readonly epoch: number }> {
    const row = await this.database.db.selectFrom('leader').selectAll().executeTakeFirstOrThrow();
    return { controller: this.controller(row.holder ?? ''), epoch: row.epoch };
  }

  async ask(
    { url }: ControllerProcess,
    method: string,
    path: string,
    { body, timeoutMs = REQUEST_MS }: { readonly body?: unknown; readonly timeoutMs?: number } = {},
  ): Promise<Answer> {
    const response = await fetch(`${url}${path}`, {
      method,
      headers: {
        ...this.key.headers,
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(timeoutMs),
    });
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.includes('json') === true;
    return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : undefined };
  }

  /** Everything computed by the leader of `epoch` or a later one, and taken and read back by every agent. */
  async settled(epoch: number): Promise<void> {
    const { db } = this.database;
    await eventually(async () => {
      const head = await db.selectFrom('head').select(['revision', 'computed_through']).executeTakeFirstOrThrow();
      const leader = await db.selectFrom('leader').select('epoch').executeTakeFirstOrThrow();
      const headends = await db
        .selectFrom('headend')
        .selectAll()
        .where('node_id', 'in', [...this.agents.keys()])
        .execute();
      const pending = await db.selectFrom('desired').selectAll().where('outcome', '=', 'pending').execute();
      const isTaken = headends.every((headend) => headend.acked_generation === headend.generation);
      if (leader.epoch < epoch || head.computed_through < head.revision || !isTaken || pending.length > 0) {
        throw new Error(`still at work: ${JSON.stringify({ leader, head, headends, pending })}\n${this.logs()}`);
      }
    }, 120_000);
  }

  /** The controllers that agents have their sessions on, by node; a silent agent is on none. */
  async sessions(): Promise<Readonly<Record<string, string>>> {
    const { db } = this.database;
    const connected = db.selectFrom('agent').select(['node_id', 'controller']).where(agentStateSql, '=', 'connected');
    const rows = await connected.where('disconnected_at', 'is', null).execute();
    return Object.fromEntries(rows.map(({ node_id, controller }) => [node_id, controller]));
  }

  /** The last that everybody has logged. */
  logs(): string {
    const all = [...this.controllers.map(({ name, process }) => [name, process] as const), ...this.agents];
    return all.map(([name, { output }]) => `--- ${name}\n${output.split('\n').slice(-30).join('\n')}`).join('\n');
  }

  async stop(): Promise<void> {
    const processes = [...this.agents.values(), ...this.controllers.map(({ process }) => process)];
    await Promise.all(processes.map((one) => one.stop('SIGKILL')));
    for (const connection of this.#connections) await connection.close();
    await this.#redis.stop();
    await this.database.drop();
    await rm(this.folder, { recursive: true, force: true });
  }

  async #newController(name: string): Promise<ControllerProcess> {
    const postgres = await BreakableConnection.to(this.database.url);
    const redis = await BreakableConnection.to(this.#redis.url);
    this.#connections.push(postgres, redis);
    const [http, grpc] = [await freePort('127.0.0.1'), await freePort('127.0.0.1')];
    const controller = { name, url: `http://127.0.0.1:${http}`, grpcAddress: `127.0.0.1:${grpc}`, postgres, redis };
    return { ...controller, process: await this.#run(controller) };
  }

  async #run({ name, url, grpcAddress, postgres, redis }: Omit<ControllerProcess, 'process'>): Promise<ManagedProcess> {
    const portOf = (address: string) => address.slice(address.lastIndexOf(':') + 1);
    const started = ManagedProcess.spawn(name, [process.execPath, join(root, 'apps/controller/dist/main.js')], {
      WAYMARK_NAME: name,
      WAYMARK_HTTP_PORT: portOf(url),
      WAYMARK_GRPC_PORT: portOf(grpcAddress),
      WAYMARK_DATA_DIR: join(this.folder, name),
      WAYMARK_DEMO: 'topology',
      WAYMARK_WORKERS: '1',
      DATABASE_URL: postgres.url,
      REDIS_URL: redis.url,
      ...this.key.settings,
    });
    await started.printed(/^API: /m, STARTED_MS);
    return started;
  }
}
