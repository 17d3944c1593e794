import type { KubeConfig } from '@kubernetes/client-node';
import type { Logger } from 'pino';
import type { ClusterHostsView } from '../model/kubernetes.js';
import { printable } from '../model/printable.js';
import { StartFault } from '../model/start-fault.js';
import { ApiClient } from './api-client.js';
import { ClassSource, type ClassSourceOptions } from './classes/class-source.js';
import { Cluster } from './cluster.js';
import { ConfigMapReader, type ConfigMapReaderOptions } from './config-maps/config-map-reader.js';
import { ConfigMapWriter, type ConfigMapWriterOptions } from './config-maps/config-map-writer.js';
import { HostSource, type HostSourceOptions } from './host-source.js';
import { ObjectController, type ObjectControllerOptions } from './objects/object-controller.js';
import type { ClusterConfig, KubernetesSettings } from './kubernetes-config.js';
import type { WatchTiming } from './watched-list.js';

/** As the schema of the view has it; messages quote what clusters say. */
const MAX_NAME = 1_000;
const MAX_MESSAGE = 4_000;

/** Of policies that are read from ConfigMaps, unless the configuration says otherwise. */
const CONFIG_MAP_COLOR = 1001;

export interface KubernetesOptions {
  readonly settings: KubernetesSettings;
  readonly topology: HostSourceOptions['topology'];
  /** What objects and ConfigMaps ask for is made through these. */
  readonly objects: Pick<ObjectControllerOptions, 'policies' | 'topology' | 'events' | 'possessionsOf'> &
    Pick<ConfigMapReaderOptions, 'topology'> &
    Pick<ConfigMapWriterOptions, 'policies'> &
    Pick<ClassSourceOptions, 'classes'>;
  readonly log: Logger;
  readonly timing?: Partial<WatchTiming>;
}

/**
 * What Waymark has to do with Kubernetes: clusters as sources of hosts, of policies as objects or ConfigMaps, and of pods'
 * service classes. Every controller watches, so that the next leader knows all at once; only the leader writes.
 */
export class Kubernetes {
  readonly #clusters: readonly Cluster[];
  readonly #hosts: HostSource;
  /** What there is to do besides, by the name of the cluster. */
  readonly #parts: ReadonlyMap<string, readonly (ObjectController | ConfigMapReader | ConfigMapWriter | ClassSource)[]>;
  #leading: Promise<unknown> = Promise.resolve();

  private constructor(
    options: KubernetesOptions,
    clients: readonly { readonly config: ClusterConfig; readonly client: ApiClient }[],
  ) {
    const { settings, topology, objects, log, timing } = options;
    const timed = timing === undefined ? {} : { timing };
    const onChange = (): void => {
      this.#hosts.changed();
    };
    const clusters = clients.map(({ config, client }) => {
      return { config, cluster: new Cluster({ client, onChange, ...timed }) };
    });
    this.#clusters = clusters.map(({ cluster }) => cluster);
    this.#parts = new Map(
      clients.map(({ config, client }) => {
        const { name, resources, configMaps, configMapColor: color = CONFIG_MAP_COLOR, serviceClasses } = config;
        const shared = { ...objects, cluster: name, client, log, ...timed };
        const parts = [
          ...(resources === true ? [new ObjectController(shared)] : []),
          ...(configMaps === 'read' ? [new ConfigMapReader({ ...shared, color })] : []),
          ...(configMaps === 'write' ? [new ConfigMapWriter(shared)] : []),
          ...(serviceClasses === true ? [new ClassSource({ ...shared, graceMs: settings.nodeGraceMs })] : []),
        ];
        return [name, parts];
      }),
    );
    this.#hosts = new HostSource({ settings, clusters, topology, log, now: () => performance.now() });
  }

  /** Reads the kubeconfigs. Throws StartFault when one cannot be used; that an API server is away is no reason not to start. */
  static async create(options: KubernetesOptions): Promise<Kubernetes> {
    // Not before it is needed: loading it takes a third of a second.
    const { KubeConfig: Config } = await import('@kubernetes/client-node');
    const clients = options.settings.clusters.map((config) => {
      return { config, client: new ApiClient(load(new Config(), config)) };
    });
    return new Kubernetes(options, clients);
  }

  start(): void {
    for (const part of [...this.#clusters, ...this.#allParts()]) part.start();
  }

  /** Keeps the topology equal to the clusters until the signal is given. */
  lead(signal: AbortSignal, epoch: number): void {
    this.#leading = this.#leading.then(() =>
      Promise.all([this.#hosts, ...this.#allParts()].map((part) => part.lead(signal, epoch))),
    );
  }

  async stop(): Promise<void> {
    await Promise.all(this.#allParts().map((part) => part.stop()));
    await Promise.all(this.#clusters.map((cluster) => cluster.stop()));
    await this.#leading;
  }

  readonly clusters = (): readonly ClusterHostsView[] =>
    this.#hosts.views().map((view) => {
      const parts = this.#parts.get(view.name) ?? [];
      const [trouble = null] = [view, ...parts].flatMap((part) => part.trouble ?? []);
      const problems = [...view.problems, ...parts.flatMap((part) => part.problems())];
      return {
        ...view,
        trouble: trouble === null ? null : printable(trouble, MAX_MESSAGE),
        problems: problems.map(({ object, message }) => ({
          object: printable(object, MAX_NAME),
          message: printable(message, MAX_MESSAGE),
        })),
      };
    });

  #allParts() {
    return [...this.#parts.values()].flat();
  }
}

function load(kubeConfig: KubeConfig, { name, kubeconfig, context, inCluster }: ClusterConfig): KubeConfig {
  const fault = (message: string, cause?: unknown) => new StartFault(`cluster ${name}: ${message}`, { cause });
  try {
    if (inCluster === true) kubeConfig.loadFromCluster();
    else kubeConfig.loadFromFile(kubeconfig ?? '');
  } catch (error) {
    throw fault(
      `${kubeconfig ?? 'its service account'} cannot be read: ${error instanceof Error ? error.message : String(error)}`,
      error,
    );
  }
  if (context !== undefined) kubeConfig.setCurrentContext(context);
  if (kubeConfig.getCurrentCluster() === null) {
    throw fault(`${kubeconfig ?? ''} has no ${context === undefined ? 'current context' : `context "${context}"`}`);
  }
  return kubeConfig;
}
