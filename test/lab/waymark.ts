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
}

/** One controller, one agent in each host, Redis: separate processes, as in production. */
export class Waymark {
  readonly rest: RestClient;
  readonly redis: RedisServer;
  readonly #options: WaymarkOptions;
  readonly #key: AdminKey;
  readonly #ports: { readonly http: number; readonly grpc: number };
  readonly #agents = new Map<string, ManagedProcess>();
  #controller: ManagedProcess | undefined;

  private constructor(
    options: WaymarkOptions,
    redis: RedisServer,
    ports: { readonly http: number; readonly grpc: number },
  ) {
    this.#options = options;
    this.redis = redis;
    this.#ports = ports;
    this.#key = writeAdminKey(options.folder);
    this.rest = new RestClient(`http://${options.controllerAddress}:${ports.http}`, this.#key.headers);
  }

  /** Where agents keep what they know, in a folder of each one's name. */
  get agentFolder(): string {
    return join(this.#options.folder, 'agents');
  }

  static async start(options: WaymarkOptions): Promise<Waymark> {
    const redis = await RedisServer.start({ address: options.controllerAddress });
    // Ports are fixed for the run: a controller that was killed comes back where its agents look for it.
    const ports = {
      http: await freePort(options.controllerAddress),
      grpc: await freePort(options.controllerAddress),
    };
    const waymark = new Waymark(options, redis, ports);
    try {
      waymark.#certify('controller', [options.controllerAddress]);
      waymark.#certify(
        'agent',
        options.hosts.map(({ id }) => id),
      );
      await waymark.startController();
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
    await this.#controller?.stop();
    await this.redis.stop();
  }

  async startController(): Promise<void> {
    const { controllerAddress, databaseUrl, folder, holdMs, kubernetes } = this.#options;
    this.#controller = ManagedProcess.spawn('controller', ['node', CONTROLLER], {
      WAYMARK_NAME: 'lab',
      WAYMARK_HTTP_HOST: controllerAddress,
      WAYMARK_HTTP_PORT: String(this.#ports.http),
      WAYMARK_GRPC_HOST: controllerAddress,
      WAYMARK_GRPC_PORT: String(this.#ports.grpc),
      WAYMARK_DATA_DIR: join(folder, 'controller'),
      WAYMARK_DEMO: 'off',
      WAYMARK_HOLD_MS: String(holdMs),
      WAYMARK_WORKERS: '1',
      DATABASE_URL: databaseUrl,
      REDIS_URL: this.redis.url,
      ...this.#certificateIn('controller'),
      ...(kubernetes !== undefined && { WAYMARK_KUBERNETES: kubernetes }),
      ...this.#key.settings,
    });
    await this.#controller.printed(/^API: /m, STARTED_MS);
  }

  async stopController(): Promise<void> {
    await this.#controller?.stop();
  }

  async killController(): Promise<void> {
    await this.#controller?.stop('SIGKILL');
  }

  /** `settings` besides those that all agents have. */
  startAgent(host: string, settings: NodeJS.ProcessEnv = {}): void {
    this.#runAgent(host, ['node', AGENT], { ...this.#agentSettings(host), ...settings });
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
    await this.#agents.get(host)?.stop();
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
      WAYMARK_CONTROLLER: `${controllerAddress}:${this.#ports.grpc}`,
      WAYMARK_DATAPLANE: 'linux',
      WAYMARK_DATA_DIR: this.agentFolder,
      WAYMARK_LOCAL_SIDS: `${serviceSid.ipv4}=End.DT4,${serviceSid.ipv6}=End.DT6`,
      WAYMARK_LINUX_ENCAP_SOURCE: address,
      WAYMARK_LINUX_UNDERLAY: `to-${attachment}`,
      WAYMARK_LINUX_MANAGE_SYSCTLS: 'true',
      ...(probing ? { WAYMARK_PROBE_PREFIX: probePrefix } : { WAYMARK_STATUS_PORT: '0' }),
      REDIS_URL: this.redis.url,
      ...this.#certificateIn(`agents/${host}`),
    };
  }

  async killAgent(host: string): Promise<void> {
    await this.#agents.get(host)?.stop('SIGKILL');
  }

  /** The last that controller and agents have logged. */
  logs(): string {
    const processes = [['controller', this.#controller] as const, ...this.#agents];
    return processes
      .map(([name, process]) => `--- ${name}\n${(process?.output ?? '').split('\n').slice(-LOG_LINES).join('\n')}`)
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
