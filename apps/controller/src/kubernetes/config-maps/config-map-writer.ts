import { srv6ConfigNamespace, writeSrv6Config } from '@waymark/kubernetes-resources';
import type { NodeId, Ted, TedNode } from '@waymark/topology';
import type { Logger } from 'pino';
import type { WaymarkEvent } from '../../model/events.js';
import type { ClusterProblem } from '../../model/kubernetes.js';
import type { EventBus, PolicyService, TopologyService } from '../../model/ports.js';
import type { SrPolicyView } from '../../model/sr-policy.js';
import { KubernetesError, type ApiClient } from '../api-client.js';
import { fieldManager } from '../tell-object.js';
import type { WatchTiming } from '../watched-list.js';
import { configMapPath, type ConfigMapObject } from './config-map-object.js';
import { FollowedConfigMaps } from './followed-config-maps.js';
import { writtenConfig } from './written-config.js';

export interface ConfigMapWriterOptions {
  /** Name of the cluster. */
  readonly cluster: string;
  readonly client: ApiClient;
  readonly policies: Pick<PolicyService, 'policies'>;
  readonly topology: Pick<TopologyService, 'ted' | 'clusterHosts' | 'onRevision'>;
  readonly events: Pick<EventBus, 'subscribe'>;
  readonly log: Logger;
  readonly timing?: Partial<WatchTiming>;
}

const PAGE_SIZE = 1_000;
/** Policies of a headend change together: they are written at most so often. */
const SETTLE_MS = 500;
const managedBy = 'app.kubernetes.io/managed-by';
const leftOutAnnotation = 'waymark.dev/left-out';
const MAX_LEFT_OUT = 100;

/** Stand in the queue for all hosts, and for the topology. */
const ALL = '*all';
const TOPOLOGY = '*topology';

/**
 * Keeps a ConfigMap `srv6-config-<node>` for each host of the cluster that is the headend of policies in force, for agents
 * that read those of the paper. Touches only what it made itself, which has its label.
 *
 *   events of policies, TED ──► queue of ConfigMaps ──► policies of the headend → ConfigMap ──► server-side apply, or delete
 *   watch ──────────────────────►┘  (somebody changed it)
 */
export class ConfigMapWriter {
  readonly #options: ConfigMapWriterOptions;
  readonly #configMaps: FollowedConfigMaps;
  readonly #problems = new Map<string, string>();
  #around: Surroundings | undefined;

  constructor(options: ConfigMapWriterOptions) {
    this.#options = options;
    this.#configMaps = new FollowedConfigMaps({
      ...options,
      work: (key) => this.#reconcile(key),
      onList: () => {
        this.#configMaps.loop.add(ALL);
      },
    });
  }

  get trouble(): string | null {
    return this.#configMaps.trouble;
  }

  problems(): readonly ClusterProblem[] {
    return [...this.#problems].map(([name, message]) => ({ object: `ConfigMap ${name}`, message }));
  }

  start(): void {
    this.#configMaps.start();
  }

  async stop(): Promise<void> {
    await this.#configMaps.stop();
  }

  /** Works until the signal is given. Rejects never. */
  async lead(signal: AbortSignal): Promise<void> {
    const { topology, events } = this.#options;
    // Another controller may have led since.
    this.#around = undefined;
    const end = [
      topology.onRevision(() => {
        this.#configMaps.loop.add(TOPOLOGY, SETTLE_MS);
      }),
      events.subscribe(
        (event) => {
          this.#heard(event);
        },
        () => {
          this.#configMaps.loop.add(ALL);
        },
      ),
    ];
    const running = this.#configMaps.loop.run(signal);
    this.#configMaps.loop.add(ALL);
    await running;
    for (const stop of end) stop();
    this.#problems.clear();
  }

  #heard({ type, data }: WaymarkEvent): void {
    if (type === 'mesh.intent') this.#configMaps.loop.add(ALL, SETTLE_MS);
    if ((type !== 'policy.state' && type !== 'policy.intent') || !('policyId' in data)) return;
    const [headend] = data.policyId.split(':');
    for (const [name, id] of this.#around?.hosts ?? []) if (id === headend) this.#configMaps.loop.add(name, SETTLE_MS);
  }

  async #reconcile(key: string): Promise<void> {
    if (key === ALL || key === TOPOLOGY) {
      await this.#followTopology(key === ALL);
      return;
    }
    try {
      await this.#write(key);
    } catch (error) {
      if (!(error instanceof KubernetesError)) throw error;
      this.#problems.set(key, error.message);
      throw error;
    }
  }

  /** Takes over the newest hosts and addresses; where they are the same, so is what ConfigMaps say of them. */
  async #followTopology(always: boolean): Promise<void> {
    const { nodes } = await this.#options.topology.ted();
    const before = this.#around?.hosts.size === 0 ? undefined : this.#around?.ted.nodes;
    if (!always && nodes.length === before?.length && nodes.every((node, i) => node === before[i])) return;
    const { hosts } = await this.#look();
    for (const name of new Set([...hosts.keys(), ...this.#configMaps.names()])) this.#configMaps.loop.add(name);
  }

  async #look(): Promise<Surroundings> {
    const { topology, cluster } = this.#options;
    const ted = await topology.ted();
    const hosts = await topology.clusterHosts(cluster);
    this.#around = {
      ted,
      nodes: new Map(ted.nodes.map((node) => [node.id, node])),
      hosts: new Map(hosts.map(({ id, name }) => [nameOf(name), id])),
    };
    return this.#around;
  }

  async #write(name: string): Promise<void> {
    const around = this.#around ?? (await this.#look());
    // The nodes of the cluster are not listed yet: what is there was written for them.
    if (around.hosts.size === 0) return;
    const wanted = await this.#wanted(name, around);
    const known = this.#configMaps.get(name);
    this.#problems.delete(name);
    if (known !== undefined && known.metadata.labels?.[managedBy] !== 'waymark') {
      if (wanted === undefined) return;
      this.#problems.set(name, `it is not written: it has no label ${managedBy}: waymark, so somebody else made it`);
      return;
    }
    if (wanted === undefined) await this.#remove(known);
    else if (known === undefined || !isWritten(known, wanted)) await this.#apply(name, wanted, known);
  }

  async #wanted(name: string, { hosts, nodes }: Surroundings): Promise<Wanted | undefined> {
    const headend = nodes.get(hosts.get(name) ?? '');
    if (headend === undefined) return undefined;
    const policies = await this.#policiesOf(headend.id);
    const written = writtenConfig(nodeOf(name), headend, policies, nodes);
    if (written === undefined) return undefined;
    const { data = {} } = writeSrv6Config(written.config);
    return { data, annotations: annotationsOf(written.leftOut) };
  }

  async #policiesOf(headend: NodeId): Promise<readonly SrPolicyView[]> {
    const all: SrPolicyView[] = [];
    let after: string | null | undefined;
    do {
      const request = { limit: PAGE_SIZE, ...(after == null ? {} : { after }) };
      const page = await this.#options.policies.policies({ headend }, request);
      all.push(...page.items);
      after = page.next;
    } while (after !== null);
    return all;
  }

  async #apply(name: string, { data, annotations }: Wanted, known: ConfigMapObject | undefined): Promise<void> {
    const { uid } = known?.metadata ?? {};
    const metadata = { name, namespace: srv6ConfigNamespace, labels: { [managedBy]: 'waymark' }, annotations };
    const body = {
      ...{ apiVersion: 'v1', kind: 'ConfigMap' },
      metadata: { ...metadata, ...(uid === undefined ? {} : { uid }) },
      data,
    };
    // Without force, one that somebody else has made in the meantime is a conflict; what is ours is made right again.
    const force = known === undefined ? {} : { force: true };
    await this.#options.client.patch(configMapPath(name), 'apply', body, { fieldManager, ...force });
  }

  async #remove(known: ConfigMapObject | undefined): Promise<void> {
    if (known === undefined) return;
    try {
      await this.#options.client.delete(configMapPath(known.metadata.name), known.metadata.uid);
    } catch (error) {
      // It went, or another one came in its place: the watch will tell.
      if (!(error instanceof KubernetesError) || (error.status !== 404 && error.status !== 409)) throw error;
    }
  }
}

interface Surroundings {
  readonly ted: Ted;
  readonly nodes: ReadonlyMap<NodeId, TedNode>;
  /** Ids of hosts by the name of their ConfigMap. */
  readonly hosts: ReadonlyMap<string, NodeId>;
}

interface Wanted {
  readonly data: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

/** Annotations of an object have 256 KiB together; who wants to know more asks the API. */
function annotationsOf(leftOut: readonly string[]): Readonly<Record<string, string>> {
  if (leftOut.length === 0) return {};
  const rest = leftOut.length - MAX_LEFT_OUT;
  const told = [...leftOut.slice(0, MAX_LEFT_OUT), ...(rest > 0 ? [`and ${rest} more`] : [])];
  return { [leftOutAnnotation]: told.join('\n') };
}

/** Keys that others have added are theirs. */
function isWritten({ data = {}, metadata: { annotations = {} } }: ConfigMapObject, wanted: Wanted): boolean {
  const isData = Object.entries(wanted.data).every(([key, text]) => data[key] === text);
  return isData && annotations[leftOutAnnotation] === wanted.annotations[leftOutAnnotation];
}

const prefix = 'srv6-config-';

function nameOf(node: string): string {
  return prefix + node;
}

function nodeOf(configMap: string): string {
  return configMap.slice(prefix.length);
}
