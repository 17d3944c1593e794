import { readSrv6Config, Srv6ConfigError } from '@waymark/kubernetes-resources';
import type { Ted } from '@waymark/topology';
import type { Logger } from 'pino';
import type { ClusterProblem } from '../../model/kubernetes.js';
import type { TopologyService } from '../../model/ports.js';
import { policyIdOf, type SrPolicyIntent } from '../../model/sr-policy.js';
import type { ApiClient } from '../api-client.js';
import { isRefusal, OwnedIntents, type IntentServices, type OwningActor } from '../owned-intents.js';
import { tellObject } from '../tell-object.js';
import type { WatchTiming } from '../watched-list.js';
import type { ConfigMapObject } from './config-map-object.js';
import { FollowedConfigMaps } from './followed-config-maps.js';
import { policiesOfConfig, surroundingsOf, type Surroundings } from './policies-of-config.js';

export interface ConfigMapReaderOptions {
  /** Name of the cluster. */
  readonly cluster: string;
  readonly client: ApiClient;
  /** Surroundings.color. */
  readonly color: number;
  readonly policies: IntentServices['policies'];
  readonly topology: IntentServices['topology'] & Pick<TopologyService, 'ted' | 'clusterHosts' | 'onRevision'>;
  readonly possessionsOf: IntentServices['possessionsOf'];
  readonly log: Logger;
  readonly timing?: Partial<WatchTiming>;
}

/** Nothing holds a ConfigMap that is deleted: those that go together are counted before any of them is believed to be gone. */
const SWEEP_MS = 5_000;
/** Changes of the topology come in bursts. */
const SETTLE_MS = 500;

const KIND = 'ConfigMap';

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
  readonly #intents: OwnedIntents;
  readonly #configMaps: FollowedConfigMaps;
  /** By the name of the ConfigMap. */
  readonly #refusals = new Map<string, readonly string[]>();
  readonly #told = new Map<string, string>();
  /** Policies as they were made last, by id. */
  readonly #made = new Map<string, string>();
  #lost: readonly Omit<ClusterProblem, 'message'>[] = [];
  #around: { readonly ted: Ted; readonly surroundings: Surroundings } | undefined;

  constructor(options: ConfigMapReaderOptions) {
    this.#options = options;
    this.#intents = new OwnedIntents(options.cluster, options);
    this.#configMaps = new FollowedConfigMaps({
      ...options,
      work: (key) => this.#reconcile(key),
      onList: () => {
        this.#addAll();
      },
    });
  }

  get trouble(): string | null {
    return this.#configMaps.trouble;
  }

  problems(): readonly ClusterProblem[] {
    const refused = [...this.#refusals].flatMap(([name, messages]) =>
      messages.map((message) => ({ object: `ConfigMap ${name}`, message })),
    );
    const message = 'it is gone together with most others, which is not believed: its policies stay';
    return [...refused, ...this.#lost.map((object) => ({ ...object, message }))];
  }

  start(): void {
    this.#configMaps.start();
  }

  async stop(): Promise<void> {
    await this.#configMaps.stop();
  }

  /** Works until the signal is given. Rejects never. */
  async lead(signal: AbortSignal): Promise<void> {
    // Another controller may have led since.
    this.#made.clear();
    this.#around = undefined;
    const end = this.#options.topology.onRevision(() => {
      this.#configMaps.loop.add(TOPOLOGY, SETTLE_MS);
    });
    const running = this.#configMaps.loop.run(signal);
    this.#addAll();
    await running;
    end();
    this.#refusals.clear();
    this.#lost = [];
  }

  #addAll(): void {
    // Those that went unseen, or while another controller led.
    for (const name of [...this.#told.keys()]) if (this.#configMaps.get(name) === undefined) this.#told.delete(name);
    for (const name of this.#configMaps.names()) this.#configMaps.loop.add(name);
    this.#configMaps.loop.add(SWEEP, SWEEP_MS);
  }

  async #reconcile(key: string): Promise<void> {
    if (key === SWEEP) return this.#sweep();
    if (key === TOPOLOGY) return this.#followTopology();
    const configMap = this.#configMaps.get(key);
    // What comes back is no longer lost.
    if (configMap === undefined || this.#lost.length > 0) this.#configMaps.loop.add(SWEEP, SWEEP_MS);
    if (configMap !== undefined) return this.#serve(configMap);
    this.#refusals.delete(key);
    this.#told.delete(key);
  }

  /** Where nodes are the same, ConfigMaps mean the same. What was refused for other policies' sake is tried again. */
  async #followTopology(): Promise<void> {
    const { nodes } = await this.#options.topology.ted();
    const before = this.#around?.surroundings.hosts.size === 0 ? undefined : this.#around?.ted.nodes;
    if (before?.length !== nodes.length || nodes.some((node, i) => node !== before[i])) this.#addAll();
    else for (const name of this.#refusals.keys()) this.#configMaps.loop.add(name);
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
    const actor = this.#intents.actorOf(KIND, name);
    const refused = await this.#makeEach(intents, actor);
    if (!keepOthers) {
      const { policies } = await this.#intents.withdrawAllBut({ policies: intents.map(policyIdOf) }, actor);
      for (const id of policies) this.#made.delete(id);
    }
    // A prefix that moves from one policy to another is free only now.
    const again = await this.#makeEach([...refused.keys()], actor);
    return [...again].map(([intent, message]) => `policy ${policyIdOf(intent)}: ${message}`);
  }

  async #makeEach(
    intents: readonly SrPolicyIntent[],
    actor: OwningActor,
  ): Promise<ReadonlyMap<SrPolicyIntent, string>> {
    const refused = new Map<SrPolicyIntent, string>();
    for (const intent of intents) {
      const id = policyIdOf(intent);
      const text = JSON.stringify(intent);
      if (this.#made.get(id) === text) continue;
      try {
        await this.#intents.putPolicy(intent, actor);
        this.#made.set(id, text);
      } catch (error) {
        if (!isRefusal(error)) throw error;
        refused.set(intent, error.info.detail);
      }
    }
    return refused;
  }

  async #sweep(): Promise<void> {
    const { cluster, log } = this.#options;
    this.#lost = await this.#intents.sweep([KIND], (_, name) => this.#configMaps.get(name) !== undefined);
    // What was withdrawn has to be made again, should it come back.
    this.#made.clear();
    if (this.#lost.length === 0) return;
    log.warn({ cluster, gone: this.#lost.length }, 'most ConfigMaps of a cluster are gone; nothing is withdrawn');
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
    await tellObject(this.#options.client, { apiVersion: 'v1', kind: KIND, metadata }, told, new Date());
    this.#told.set(name, text);
  }
}
