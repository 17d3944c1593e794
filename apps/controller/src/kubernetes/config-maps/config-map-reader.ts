import { isSrv6Config, readSrv6Config, Srv6ConfigError, srv6ConfigNamespace } from '@waymark/kubernetes-resources';
import type { Ted } from '@waymark/topology';
import type { Logger } from 'pino';
import type { ClusterProblem } from '../../model/kubernetes.js';
import type { PolicyService, TopologyService } from '../../model/ports.js';
import type { SrPolicyIntent } from '../../model/sr-policy.js';
import type { Actor } from '../../model/topology.js';
import type { ApiClient } from '../api-client.js';
import { createOrReplace, isRefusal } from '../create-or-replace.js';
import type { Possessions } from '../objects/object-controller.js';
import { tellObject } from '../tell-object.js';
import { WatchedList, type WatchTiming } from '../watched-list.js';
import { WorkLoop } from '../work-loop.js';
import { configMapPath, type ConfigMapObject } from './config-map-object.js';
import { policiesOfConfig, surroundingsOf, type Surroundings } from './policies-of-config.js';

export interface ConfigMapReaderOptions {
  /** Name of the cluster. */
  readonly cluster: string;
  readonly client: ApiClient;
  /** Surroundings.color. */
  readonly color: number;
  readonly policies: Pick<PolicyService, 'policy' | 'createPolicy' | 'replacePolicy' | 'deletePolicy'>;
  readonly topology: Pick<TopologyService, 'ted' | 'clusterHosts' | 'onRevision'>;
  /** By owner, of all owners whose name begins so. */
  readonly possessionsOf: (prefix: string) => Promise<ReadonlyMap<string, Possessions>>;
  readonly log: Logger;
  readonly timing?: Partial<WatchTiming>;
}

/** Nothing holds a ConfigMap that is deleted: those that go together are counted before any of them is believed to be gone. */
const SWEEP_MS = 5_000;
/** As for hosts: with fewer, half of them going is nothing unusual. */
const COLLAPSE_MIN = 4;
/** Changes of the topology come in bursts. */
const SETTLE_MS = 500;

/** Stand in the queue for all ConfigMaps that may be gone, and for the topology. */
const SWEEP = '*sweep';
const TOPOLOGY = '*topology';

/**
 * Makes SR policies of the ConfigMaps of the paper, and keeps them while the topology changes: which nodes have which
 * addresses, service SIDs and pod prefixes. ConfigMaps own their policies.
 *
 *   watch, TED ──► queue of ConfigMaps ──► lists → intents ──► services, on behalf of the ConfigMap
 *                                            └──► what is refused ──► Kubernetes events, problems of the cluster
 */
export class ConfigMapReader {
  readonly #options: ConfigMapReaderOptions;
  readonly #list: WatchedList;
  readonly #loop: WorkLoop;
  /** By the name of the ConfigMap. */
  readonly #refusals = new Map<string, readonly string[]>();
  readonly #told = new Map<string, string>();
  /** Policies as they were made last, by id. */
  readonly #made = new Map<string, string>();
  #lost: readonly string[] = [];
  #trouble: string | null = null;
  #around: { readonly ted: Ted; readonly surroundings: Surroundings } | undefined;

  constructor(options: ConfigMapReaderOptions) {
    this.#options = options;
    const { client, timing, log } = options;
    this.#loop = new WorkLoop({
      work: (key) => this.#reconcile(key),
      isReady: () => this.#list.objects !== undefined,
      onFailure: (key, error) => {
        log.warn({ err: error, configMap: key }, 'a ConfigMap of a cluster could not be served; tried again');
      },
    });
    this.#list = new WatchedList({
      client,
      path: configMapPath(),
      onChange: (object) => {
        if (object === undefined) this.#addAll();
        else if (isSrv6Config(object.metadata.name)) this.#loop.add(object.metadata.name);
      },
      onTrouble: (trouble) => {
        this.#trouble = trouble?.message ?? null;
      },
      ...(timing === undefined ? {} : { timing }),
    });
  }

  /** Why ConfigMaps may be out of date, or cannot be followed at all; null: nothing is wrong. */
  get trouble(): string | null {
    return this.#trouble;
  }

  problems(): readonly ClusterProblem[] {
    const refused = [...this.#refusals].flatMap(([name, messages]) => messages.map((message) => ({ name, message })));
    const message = 'it is gone together with most others, which is not believed: its policies stay';
    const lost = this.#lost.map((name) => ({ name, message }));
    return [...refused, ...lost].map((problem) => ({ object: `ConfigMap ${problem.name}`, message: problem.message }));
  }

  start(): void {
    this.#list.start();
  }

  async stop(): Promise<void> {
    await this.#list.stop();
  }

  /** Works until the signal is given. Rejects never. */
  async lead(signal: AbortSignal): Promise<void> {
    // Another controller may have led since.
    this.#made.clear();
    this.#around = undefined;
    const end = this.#options.topology.onRevision(() => {
      this.#loop.add(TOPOLOGY, SETTLE_MS);
    });
    this.#addAll();
    await this.#loop.run(signal);
    end();
    this.#refusals.clear();
    this.#lost = [];
  }

  #addAll(): void {
    for (const { metadata } of this.#list.objects ?? []) if (isSrv6Config(metadata.name)) this.#loop.add(metadata.name);
    this.#loop.add(SWEEP, SWEEP_MS);
  }

  async #reconcile(key: string): Promise<void> {
    if (key === SWEEP) return this.#sweep();
    if (key === TOPOLOGY) return this.#followTopology();
    const configMap = this.#configMap(key);
    if (configMap !== undefined) return this.#serve(configMap);
    this.#refusals.delete(key);
    this.#told.delete(key);
    this.#loop.add(SWEEP, SWEEP_MS);
  }

  #configMap(name: string): ConfigMapObject | undefined {
    return this.#list.get(name, srv6ConfigNamespace);
  }

  /** Where nodes are the same, ConfigMaps mean the same. What was refused for other policies' sake is tried again. */
  async #followTopology(): Promise<void> {
    const { nodes } = await this.#options.topology.ted();
    const before = this.#around?.surroundings.hosts.size === 0 ? undefined : this.#around?.ted.nodes;
    if (before?.length !== nodes.length || nodes.some((node, i) => node !== before[i])) this.#addAll();
    else for (const name of this.#refusals.keys()) this.#loop.add(name);
  }

  async #surroundings(): Promise<Surroundings> {
    const { topology, cluster, color } = this.#options;
    const ted = await topology.ted();
    if (this.#around?.ted.revision !== ted.revision) {
      this.#around = { ted, surroundings: surroundingsOf(ted, await topology.clusterHosts(cluster), color) };
    }
    return this.#around.surroundings;
  }

  async #serve(configMap: ConfigMapObject): Promise<void> {
    const { name } = configMap.metadata;
    try {
      const configs = readSrv6Config(configMap);
      const around = await this.#surroundings();
      // The nodes of the cluster are not listed yet: that nobody is there is no fault of the ConfigMap.
      if (around.hosts.size === 0) return;
      const { intents, refusals } = policiesOfConfig(configs, around);
      await this.#tell(configMap, [...refusals, ...(await this.#make(name, intents, refusals.length > 0))]);
    } catch (error) {
      if (!(error instanceof Srv6ConfigError)) throw error;
      await this.#tell(configMap, [error.message]);
    }
  }

  /** Makes exactly these policies; with `keepOthers` those that it had before stay, too. Returns what is refused. */
  async #make(name: string, intents: readonly SrPolicyIntent[], keepOthers: boolean): Promise<readonly string[]> {
    const actor = this.#actorOf(name);
    const refused = await this.#makeEach(intents, actor);
    const ids = intents.map(idOf);
    const owned = (await this.#options.possessionsOf(actor.owner)).get(actor.owner)?.policies ?? [];
    const others = keepOthers ? [] : owned.filter((id) => !ids.includes(id));
    await this.#withdraw(others, actor);
    // A prefix that moves from one policy to another is free only now.
    const again = await this.#makeEach([...refused.keys()], actor);
    return [...again].map(([intent, message]) => `policy ${idOf(intent)}: ${message}`);
  }

  async #makeEach(intents: readonly SrPolicyIntent[], actor: Actor): Promise<ReadonlyMap<SrPolicyIntent, string>> {
    const { policies } = this.#options;
    const refused = new Map<SrPolicyIntent, string>();
    for (const intent of intents) {
      const id = idOf(intent);
      const text = JSON.stringify(intent);
      if (this.#made.get(id) === text) continue;
      try {
        await createOrReplace(
          () => policies.createPolicy(intent, actor),
          () => policies.policy(id),
          (version) => policies.replacePolicy(id, intent, version, actor),
          actor,
        );
        this.#made.set(id, text);
      } catch (error) {
        if (!isRefusal(error)) throw error;
        refused.set(intent, error.info.detail);
      }
    }
    return refused;
  }

  async #withdraw(ids: readonly string[], actor: Actor): Promise<void> {
    const { policies } = this.#options;
    for (const id of ids) {
      this.#made.delete(id);
      await policies.deletePolicy(id, (await policies.policy(id)).version, actor);
    }
  }

  /** Withdraws what belongs to ConfigMaps that are gone. That most of them are gone at once is not believed. */
  async #sweep(): Promise<void> {
    const { cluster, possessionsOf, log } = this.#options;
    const prefix = this.#actorOf('').owner;
    const owners = [...(await possessionsOf(prefix))].map(([owner, { policies }]) => {
      return { name: owner.slice(prefix.length), policies };
    });
    const gone = owners.filter(({ name }) => this.#configMap(name) === undefined);
    const isCollapse = owners.length >= COLLAPSE_MIN && gone.length * 2 > owners.length;
    this.#lost = isCollapse ? gone.map(({ name }) => name) : [];
    if (isCollapse) {
      const counts = { cluster, gone: gone.length, of: owners.length };
      log.warn(counts, 'most ConfigMaps of a cluster are gone; nothing is withdrawn');
      return;
    }
    for (const { name, policies } of gone) await this.#withdraw(policies, this.#actorOf(name));
  }

  async #tell(configMap: ConfigMapObject, refusals: readonly string[]): Promise<void> {
    const { name } = configMap.metadata;
    if (refusals.length === 0) this.#refusals.delete(name);
    else this.#refusals.set(name, refusals);
    const text = refusals.join('\n');
    if ((this.#told.get(name) ?? '') === text) return;
    const told =
      refusals.length === 0
        ? ({ type: 'Normal', reason: 'Accepted', message: 'All of its policies can be used again.' } as const)
        : ({ type: 'Warning', reason: 'Refused', message: text } as const);
    const { metadata } = configMap;
    await tellObject(this.#options.client, { apiVersion: 'v1', kind: 'ConfigMap', metadata }, told, new Date());
    this.#told.set(name, text);
  }

  #actorOf(name: string): Actor & { readonly owner: string } {
    const { cluster } = this.#options;
    return { name: `kubernetes:${cluster}`, owner: `kubernetes:${cluster}/ConfigMap/${name}` };
  }
}

function idOf({ headend, color, endpoint }: SrPolicyIntent): string {
  return `${headend}:${color}:${endpoint}`;
}
