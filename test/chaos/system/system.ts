import { spawnSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeAdminKey, type AdminKey } from '../../../apps/controller/src/testing/admin-key.js';
import type { RedisServer } from '../../../packages/agent-protocol/src/testing/redis-server.js';
import { freePort } from '../../lab/managed-process.js';
import { root } from '../../started-system.js';
import { Clock } from '../devices/clock.js';
import { startTightRedis } from '../devices/redis-server.js';
import { SmallDiskPostgres } from '../devices/small-disk-postgres.js';
import { TcpProxy } from '../devices/tcp-proxy.js';
import type { Random } from '../devices/random.js';
import { CONTROLLERS, type ControllerName, type LineName } from '../plan.js';
import { Part } from './part.js';

const HOST = '127.0.0.1';
const CONTROLLER = 'apps/controller/dist/main.js';
const AGENT = 'apps/node-agent/dist/main.js';
/** How long a returned link must stay before it is used again: short, so that policies move often. */
const HOLD_MS = 1_000;

export interface SystemOptions {
  readonly agents: readonly string[];
  readonly random: Random;
  /** Hears of a process that ended although nobody killed it. */
  readonly onDeath: (process: string, why: string) => void;
  /** Folder of the build that everything is started from. Default: this one. */
  readonly build?: string;
}

/**
 * The whole system in processes of its own, every connection through a proxy that can break it:
 *
 *   client ══► controller-a, controller-b ══► Postgres, on a small disk
 *                 ▲   ║                   ══► Redis, with small buffers
 *                 ║ TLS                        ║
 *              agents, dry-run data planes ◄═══╝
 */
export class ChaosSystem {
  readonly agents: readonly string[];
  readonly postgres: SmallDiskPostgres;
  readonly redis: RedisServer;
  readonly clocks: ReadonlyMap<string, Clock>;
  readonly lines: ReadonlyMap<LineName, TcpProxy>;
  readonly parts: ReadonlyMap<string, Part>;
  readonly headers: AdminKey['headers'];
  readonly #folder: string;
  readonly #statusPorts: ReadonlyMap<string, number>;

  private constructor(
    built: Pick<ChaosSystem, 'agents' | 'postgres' | 'redis' | 'clocks' | 'lines' | 'parts' | 'headers'>,
    folder: string,
    statusPorts: ReadonlyMap<string, number>,
  ) {
    ({
      agents: this.agents,
      postgres: this.postgres,
      redis: this.redis,
      clocks: this.clocks,
      lines: this.lines,
      parts: this.parts,
      headers: this.headers,
    } = built);
    this.#folder = folder;
    this.#statusPorts = statusPorts;
  }

  /** Everything runs and the demo topology is there. What was started is stopped when something cannot start. */
  static async start({ agents, random, onDeath, build = root }: SystemOptions): Promise<ChaosSystem> {
    const undo: (() => Promise<unknown>)[] = [];
    try {
      const folder = await mkdtemp(join(tmpdir(), 'waymark-chaos-'));
      undo.push(() => rm(folder, { recursive: true, force: true }));
      await chmod(folder, 0o755);
      const postgres = await SmallDiskPostgres.start(random);
      undo.push(() => postgres.stop());
      const redis = await startTightRedis(HOST);
      undo.push(() => redis.stop());
      certify(join(folder, 'tls'), agents);

      const lines = new Map<LineName, TcpProxy>();
      undo.push(() => Promise.all([...lines.values()].map((line) => line.close())));
      const line = async (name: LineName, port: number): Promise<number> => {
        const proxy = await TcpProxy.start({ target: { host: HOST, port }, random });
        lines.set(name, proxy);
        return proxy.port;
      };
      const key = writeAdminKey(folder);
      const parts = new Map<string, Part>();
      const clocks = new Map<string, Clock>();
      const clock = (name: string): Clock => {
        const own = new Clock(join(folder, `${name}.clock`));
        clocks.set(name, own);
        return own;
      };
      undo.push(() => Promise.all([...parts.values()].map((part) => part.stop())));

      const grpcPorts = new Map<ControllerName, number>();
      for (const name of CONTROLLERS) {
        const ports = { http: await freePort(HOST), grpc: await freePort(HOST) };
        grpcPorts.set(name, ports.grpc);
        await line(`client→${name}`, ports.http);
        const database = new URL(postgres.url);
        database.port = String(await line(`${name}→postgres`, postgres.proxy.port));
        const environment = {
          ...clock(name).environment,
          WAYMARK_NAME: name,
          WAYMARK_HTTP_PORT: String(ports.http),
          WAYMARK_GRPC_PORT: String(ports.grpc),
          WAYMARK_DATA_DIR: join(folder, name),
          WAYMARK_DEMO: 'topology',
          WAYMARK_HOLD_MS: String(HOLD_MS),
          WAYMARK_WORKERS: '1',
          DATABASE_URL: database.href,
          REDIS_URL: `redis://${HOST}:${await line(`${name}→redis`, redis.port)}`,
          ...certificateIn(join(folder, 'tls/controller')),
          ...key.settings,
        };
        parts.set(
          name,
          new Part({
            name,
            program: CONTROLLER,
            build,
            environment: () => environment,
            ready: /^API: /m,
            // Its database may be away.
            mayFailToStart: true,
            onDeath: (why) => onDeath(name, why),
          }),
        );
      }

      const statusPorts = new Map<string, number>();
      for (const id of agents) {
        const name = `agent-${id}` as const;
        const controllers: string[] = [];
        for (const [controller, port] of grpcPorts) {
          controllers.push(`${HOST}:${await line(`${name}→${controller}`, port)}`);
        }
        const statusPort = await freePort(HOST);
        statusPorts.set(id, statusPort);
        const environment = {
          ...clock(name).environment,
          WAYMARK_NODE_ID: id,
          WAYMARK_CONTROLLER: controllers.join(','),
          WAYMARK_DATAPLANE: 'dry-run',
          WAYMARK_DATA_DIR: join(folder, 'agents'),
          WAYMARK_STATUS_PORT: String(statusPort),
          WAYMARK_REREAD_SECONDS: '2',
          REDIS_URL: `redis://${HOST}:${await line(`${name}→redis`, redis.port)}`,
          ...certificateIn(join(folder, 'tls/agents', id)),
        };
        await mkdir(join(folder, 'traces'), { recursive: true });
        parts.set(
          name,
          new Part({
            name,
            program: AGENT,
            build,
            environment: (life) => ({ ...environment, WAYMARK_DRY_RUN_FILE: tracePath(folder, id, life) }),
            ready: /"msg":"status: /,
            mayFailToStart: false,
            onDeath: (why) => onDeath(name, why),
          }),
        );
      }

      const system = new ChaosSystem(
        { agents, postgres, redis, clocks, lines, parts, headers: key.headers },
        folder,
        statusPorts,
      );
      // One first: it makes the schema and loads the demo topology.
      for (const part of parts.values()) {
        part.start();
        if (part.name === CONTROLLERS[0]) await part.ready();
      }
      await Promise.all([...parts.values()].map((part) => part.ready()));
      return system;
    } catch (error) {
      for (const end of undo.reverse()) await end();
      throw error;
    }
  }

  part(name: string): Part {
    return found(this.parts.get(name), name);
  }

  line(name: LineName): TcpProxy {
    return found(this.lines.get(name), name);
  }

  clock(name: string): Clock {
    return found(this.clocks.get(name), name);
  }

  /** REST, through the proxy. */
  url(controller: ControllerName): string {
    return `http://${HOST}:${this.line(`client→${controller}`).port}`;
  }

  statusUrl(agent: string): string {
    return `http://${HOST}:${found(this.#statusPorts.get(agent), agent)}/status`;
  }

  /** What the data plane of an agent's present life was told to do, a step of JSON in each line. */
  tracePath(agent: string, life = this.part(`agent-${agent}`).life): string {
    return tracePath(this.#folder, agent, life);
  }

  /** Returns how each part ended, by its name. */
  async stop(): Promise<ReadonlyMap<string, string>> {
    const ends = [...this.parts].map(async ([name, part]) => [name, await part.stop()] as const);
    const statuses = new Map(await Promise.all(ends));
    await this.redis.stop();
    for (const line of this.lines.values()) await line.close();
    await this.postgres.stop();
    await rm(this.#folder, { recursive: true, force: true });
    return statuses;
  }
}

function tracePath(folder: string, agent: string, life: number): string {
  return join(folder, 'traces', `${agent}.${life}.jsonl`);
}

function certify(folder: string, agents: readonly string[]): void {
  const script = join(root, 'scripts/certificates.sh');
  for (const args of [
    ['controller', HOST],
    ['agent', ...agents],
  ]) {
    const { status, stderr } = spawnSync('sh', [script, folder, ...args], { encoding: 'utf8' });
    if (status !== 0) throw new Error(`there are no certificates: ${stderr}`);
  }
}

function certificateIn(folder: string): NodeJS.ProcessEnv {
  return {
    WAYMARK_GRPC_CA_FILE: join(folder, 'ca.crt'),
    WAYMARK_GRPC_CERT_FILE: join(folder, 'tls.crt'),
    WAYMARK_GRPC_KEY_FILE: join(folder, 'tls.key'),
  };
}

function found<T>(value: T | undefined, name: string): T {
  if (value === undefined) throw new RangeError(`the system has no ${name}`);
  return value;
}
