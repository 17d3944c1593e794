import { spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { SrPolicyView } from '../../apps/controller/src/model/sr-policy.js';
import { RedisServer } from '../../packages/agent-protocol/src/testing/redis-server.js';
import { writeAdminKey, type AdminKey } from '../../apps/controller/src/testing/admin-key.js';
import { eventually } from './eventually.js';
import { freePort, ManagedProcess } from './managed-process.js';
import type { Namespaces } from './namespaces.js';
import { RestClient } from './rest-client.js';
import type { Host } from './testbed.js';

const CONTROLLER = fileURLToPath(new URL('../../apps/controller/dist/main.js', import.meta.url));
const CERTIFICATES = fileURLToPath(new URL('../../scripts/certificates.sh', import.meta.url));
const AGENT = fileURLToPath(new URL('../../apps/node-agent/dist/main.js', import.meta.url));
const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const WITHDRAW = join(ROOT, 'deploy/withdraw/withdraw.yaml');
const STARTED_MS = 90_000;
const LOG_LINES = 40;

export interface WaymarkOptions {
  readonly namespaces: Namespaces;
  /** Reachable from the hosts. */
  readonly controllerAddress: string;
  readonly databaseUrl: string;
  readonly hosts: readonly Host[];
  /** For what controller and agents keep on disk. */
  readonly folder: string;
  /** How long a returned or improved link must stay so before it is used again. */
  readonly holdMs: number;
  /** Whether the agents probe their segment lists. */
  readonly probing: boolean;
  /** The file that names the clusters to follow. */
  readonly kubernetes?: string;
  /** Default 1. */
  readonly controllers?: number;
  /** Default: one with Redis' own settings. It ends with Waymark. */
  readonly redis?: RedisServer;
  /** The port where others shall reach what listens on a port of the controller's address. Default: that one. */
  readonly detour?: (line: Line, port: number) => Promise<number>;
  /** What one process has in its environment besides what it needs. */
  readonly environmentOf?: (process: ControlProcess) => NodeJS.ProcessEnv;
}

/** Controllers are numbered from 0; agents are named by their hosts. */
export type ControlProcess = `controller-${number}` | `agent-${string}`;

/** The connections of all agents to one controller, or of all parts to Redis. */
export type Line = `controller-${number}` | 'redis';

interface Ports {
  readonly http: number;
  readonly grpc: number;
  /** Where agents reach it. */
  readonly agents: number;
}

/** One controller or several, one agent in each host, Redis: separate processes, as in production. */
export class Waymark {
  /** One for each controller. */
  readonly rests: readonly RestClient[];
  readonly redis: RedisServer;
  readonly #options: WaymarkOptions;
  readonly #key: AdminKey;
  readonly #redisUrl: string;
  readonly #ports: readonly Ports[];
  readonly #agents = new Map<string, ManagedProcess>();
  readonly #controllers = new Map<number, ManagedProcess>();

  private constructor(options: WaymarkOptions, redis: RedisServer, redisUrl: string, ports: readonly Ports[]) {
    this.#options = options;
    this.redis = redis;
    this.#redisUrl = redisUrl;
    this.#ports = ports;
    this.#key = writeAdminKey(options.folder);
    this.rests = ports.map(
      ({ http }) => new RestClient(`http://${options.controllerAddress}:${http}`, this.#key.headers),
    );
  }

  /** The first controller's. */
  get rest(): RestClient {
    return this.rests[0] ?? unknownController(0);
  }

  /** Where agents keep what they know, in a folder of each one's name. */
  get agentFolder(): string {
    return join(this.#options.folder, 'agents');
  }

  static async start(options: WaymarkOptions): Promise<Waymark> {
    const {
      controllerAddress,
      controllers = 1,
      detour = (_line: Line, port: number) => Promise.resolve(port),
    } = options;
    const redis = options.redis ?? (await RedisServer.start({ address: controllerAddress }));
    // Ports are fixed for the run: a controller that was killed comes back where its agents look for it.
    const ports: Ports[] = [];
    for (let index = 0; index < controllers; index++) {
      const grpc = await freePort(controllerAddress);
      const agents = await detour(`controller-${index}`, grpc);
      ports.push({ http: await freePort(controllerAddress), grpc, agents });
    }
    const redisUrl = `redis://${controllerAddress}:${await detour('redis', redis.port)}`;
    const waymark = new Waymark(options, redis, redisUrl, ports);
    try {
      waymark.#certify('controller', [options.controllerAddress]);
      waymark.#certify(
        'agent',
        options.hosts.map(({ id }) => id),
      );
      await Promise.all(ports.map((_, index) => waymark.startController(index)));
      for (const { id } of options.hosts) waymark.startAgent(id);
    } catch (error) {
      await waymark.stop();
      throw error;
    }
    return waymark;
  }

  /** Certificates as an operator makes them. */
  #certify(kind: 'controller' | 'agent', names: readonly string[]): void {
    const { status, stderr } = spawnSync('sh', [CERTIFICATES, this.#tls(), kind, ...names], { encoding: 'utf8' });
    if (status !== 0) throw new Error(`there are no certificates: ${stderr}`);
  }

  #tls(): string {
    return join(this.#options.folder, 'tls');
  }

  /** The settings of who has its certificate in a folder below. */
  #certificateIn(folder: string): NodeJS.ProcessEnv {
    return {
      WAYMARK_GRPC_CA_FILE: join(this.#tls(), folder, 'ca.crt'),
      WAYMARK_GRPC_CERT_FILE: join(this.#tls(), folder, 'tls.crt'),
      WAYMARK_GRPC_KEY_FILE: join(this.#tls(), folder, 'tls.key'),
    };
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#agents.values()].map((agent) => agent.stop()));
    await Promise.all([...this.#controllers.values()].map((controller) => controller.stop()));
    await this.redis.stop();
  }

  async startController(index = 0): Promise<void> {
    const { controllerAddress, databaseUrl, folder, holdMs, kubernetes, environmentOf } = this.#options;
    const { http, grpc } = this.#ports[index] ?? unknownController(index);
    const name = `controller-${index}` as const;
    const controller = ManagedProcess.spawn(name, ['node', CONTROLLER], {
      WAYMARK_NAME: name,
      WAYMARK_HTTP_HOST: controllerAddress,
      WAYMARK_HTTP_PORT: String(http),
      WAYMARK_GRPC_HOST: controllerAddress,
      WAYMARK_GRPC_PORT: String(grpc),
      WAYMARK_DATA_DIR: join(folder, name),
      WAYMARK_DEMO: 'off',
      ...{ WAYMARK_HOLD_MS: String(holdMs), WAYMARK_MAX_HOLD_MS: String(2 * holdMs) },
      WAYMARK_WORKERS: '1',
      DATABASE_URL: databaseUrl,
      REDIS_URL: this.#redisUrl,
      ...this.#certificateIn('controller'),
      ...(kubernetes !== undefined && { WAYMARK_KUBERNETES: kubernetes }),
      ...this.#key.settings,
      ...environmentOf?.(name),
    });
    this.#controllers.set(index, controller);
    await controller.printed(/^API: /m, STARTED_MS);
  }

  async stopController(index = 0): Promise<void> {
    await this.controller(index).stop();
  }

  async killController(index = 0): Promise<void> {
    await this.controller(index).stop('SIGKILL');
  }

  controller(index: number): ManagedProcess {
    return this.#controllers.get(index) ?? unknownController(index);
  }

  agent(host: string): ManagedProcess {
    return this.#agents.get(host) ?? unknownHost(host);
  }

  /** `settings` besides those that all agents have. */
  startAgent(host: string, settings: NodeJS.ProcessEnv = {}): void {
    this.#runAgent(host, ['node', AGENT], {
      ...this.#agentSettings(host),
      ...this.#options.environmentOf?.(`agent-${host}`),
      ...settings,
    });
  }

  /**
   * What becomes of an agent's pod when the component deploy/withdraw is added: it is stopped, and the command of the manifest runs
   * in its place. Resolves when that pod would be ready; it has nothing to do from then on.
   */
  async withdrawAgent(host: string, settings: NodeJS.ProcessEnv = {}): Promise<void> {
    await this.stopAgent(host);
    const [shell = '', ...argv] = withdrawCommand(parse(await readFile(WITHDRAW, 'utf8')) as WithdrawPatch);
    const environment = { ...this.#agentSettings(host), ...settings };
    const process = this.#runAgent(host, ['env', '-C', ROOT, shell, ...argv], environment);
    await eventually(
      `the agent of ${host} has withdrawn`,
      () => readFile(`/proc/${process.pid ?? 0}/comm`, 'utf8'),
      (name) => name === 'sleep\n',
    );
  }

  async stopAgent(host: string): Promise<void> {
    await this.agent(host).stop();
  }

  #runAgent(host: string, argv: readonly string[], environment: NodeJS.ProcessEnv): ManagedProcess {
    const process = new ManagedProcess(`agent of ${host}`, this.#options.namespaces.spawn(host, argv, environment));
    this.#agents.set(host, process);
    return process;
  }

  #agentSettings(host: string): NodeJS.ProcessEnv {
    const { controllerAddress, hosts, probing } = this.#options;
    const { address, attachment, serviceSid, probePrefix } = hosts.find(({ id }) => id === host) ?? unknownHost(host);
    return {
      WAYMARK_NODE_ID: host,
      WAYMARK_CONTROLLER: this.#ports.map(({ agents }) => `${controllerAddress}:${agents}`).join(','),
      WAYMARK_DATAPLANE: 'linux',
      WAYMARK_DATA_DIR: this.agentFolder,
      WAYMARK_LOCAL_SIDS: `${serviceSid.ipv4}=End.DT4,${serviceSid.ipv6}=End.DT6`,
      WAYMARK_LINUX_ENCAP_SOURCE: address,
      WAYMARK_LINUX_UNDERLAY: `to-${attachment}`,
      WAYMARK_LINUX_MANAGE_SYSCTLS: 'true',
      ...(probing ? { WAYMARK_PROBE_PREFIX: probePrefix } : { WAYMARK_STATUS_PORT: '0' }),
      REDIS_URL: this.#redisUrl,
      ...this.#certificateIn(`agents/${host}`),
    };
  }

  async killAgent(host: string): Promise<void> {
    await this.agent(host).stop('SIGKILL');
  }

  /** The last that controller and agents have logged. */
  logs(): string {
    const processes = [
      ...[...this.#controllers].map(([index, process]) => [`controller-${index}`, process] as const),
      ...this.#agents,
    ];
    return processes
      .map(([name, process]) => `--- ${name}\n${process.output.split('\n').slice(-LOG_LINES).join('\n')}`)
      .join('\n');
  }

  /** Until all that was written is computed, published, installed and read back. */
  async settled(): Promise<readonly SrPolicyView[]> {
    await eventually(
      'computed through the newest revision',
      () => this.rest.head(),
      ({ revision, computedThrough }) => computedThrough >= revision,
    );
    return eventually(
      'all policies installed',
      () => this.rest.policies(),
      (policies) => policies.every(({ state }) => state !== null && state.install === 'installed'),
    );
  }

  /** Until every agent has been heard of since then, is connected and holds what it should. */
  async agentsInSync(since: Date): Promise<void> {
    await eventually(
      'all agents in sync',
      () => this.rest.agents(),
      (agents) =>
        agents.length === this.#options.hosts.length &&
        agents.every(
          ({ state, inSync, lastSeen }) => state === 'connected' && inSync && Date.parse(lastSeen) > since.getTime(),
        ),
    );
  }
}

interface WithdrawPatch {
  readonly spec: {
    readonly template: { readonly spec: { readonly containers: readonly { readonly command: readonly string[] }[] } };
  };
}

function withdrawCommand({ spec }: WithdrawPatch): readonly string[] {
  return spec.template.spec.containers[0]?.command ?? [];
}

function unknownHost(host: string): never {
  throw new Error(`no host ${host} in the testbed`);
}

function unknownController(index: number): never {
  throw new Error(`there is no controller ${index}`);
}
