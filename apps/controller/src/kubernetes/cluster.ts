import {
  clusterHosts,
  type BlockAffinity,
  type ClusterHosts,
  type IpPool,
  type IpamBlock,
  type KubernetesNode,
} from '@waymark/kubernetes-resources';
import { pause } from '../model/pause.js';
import { KubernetesError, type ApiClient } from './api-client.js';
import { defaultTiming, WatchedList, type WatchTiming } from './watched-list.js';

export interface ClusterOptions {
  readonly client: ApiClient;
  /** Its hosts may have changed, or the trouble with its API server has. */
  readonly onChange: () => void;
  readonly timing?: Partial<WatchTiming>;
}

const calicoApi = '/apis/crd.projectcalico.org/v1';
const nodesPath = '/api/v1/nodes';

interface CalicoLists {
  readonly blockAffinities: WatchedList;
  readonly ipPools: WatchedList;
  readonly ipamBlocks: WatchedList;
}

/** One API server, read-only: the nodes of its cluster and what Calico says of their pods. */
export class Cluster {
  readonly #options: ClusterOptions;
  readonly #troubles = new Map<string, KubernetesError>();
  readonly #nodes: WatchedList;
  readonly #stopped = new AbortController();
  /** undefined: not known yet; null: the cluster has no Calico. */
  #calico: CalicoLists | null | undefined;
  #discovering: Promise<void> | undefined;

  constructor(options: ClusterOptions) {
    this.#options = options;
    this.#nodes = this.#watched(nodesPath);
  }

  get server(): string {
    return this.#options.client.server;
  }

  /** Why what is known of it may be out of date; null: nothing is wrong. */
  get trouble(): string | null {
    const [first] = this.#troubles.values();
    return first?.message ?? null;
  }

  /** undefined until its API server has listed everything for the first time. */
  hosts(): ClusterHosts | undefined {
    const nodes = this.#nodes.objects;
    if (nodes === undefined || this.#calico === undefined) return undefined;
    if (this.#calico === null) return clusterHosts({ nodes: [...nodes] as KubernetesNode[], calico: null });
    const blockAffinities = this.#calico.blockAffinities.objects;
    const ipPools = this.#calico.ipPools.objects;
    const ipamBlocks = this.#calico.ipamBlocks.objects;
    if (blockAffinities === undefined || ipPools === undefined || ipamBlocks === undefined) return undefined;
    return clusterHosts({
      nodes: [...nodes] as KubernetesNode[],
      calico: {
        blockAffinities: [...blockAffinities] as BlockAffinity[],
        ipPools: [...ipPools] as IpPool[],
        ipamBlocks: [...ipamBlocks] as IpamBlock[],
      },
    });
  }

  start(): void {
    this.#nodes.start();
    this.#discovering ??= this.#discover();
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#discovering;
    const calico = this.#calico ?? undefined;
    const lists = [this.#nodes, calico?.blockAffinities, calico?.ipPools, calico?.ipamBlocks];
    await Promise.all(lists.map(async (list) => list?.stop()));
    this.#options.client.close();
  }

  /** Looks for Calico until it is found; a cluster that lost it keeps what it said. */
  async #discover(): Promise<void> {
    const { relistMs, maxRetryMs } = { ...defaultTiming, ...this.#options.timing };
    while (!this.#stopped.signal.aborted) {
      let waitMs = relistMs;
      try {
        await this.#options.client.get(calicoApi);
        this.#tell(calicoApi, null);
        this.#calico = this.#watchCalico();
        return;
      } catch (error) {
        if (!(error instanceof KubernetesError)) throw error;
        if (error.status === 404) {
          this.#tell(calicoApi, null);
          this.#calico = null;
          this.#options.onChange();
        } else {
          this.#tell(calicoApi, error);
          waitMs = Math.min(maxRetryMs, relistMs);
        }
      }
      await pause(waitMs, this.#stopped.signal);
    }
  }

  #watchCalico(): CalicoLists {
    const lists = {
      blockAffinities: this.#watched(`${calicoApi}/blockaffinities`),
      ipPools: this.#watched(`${calicoApi}/ippools`),
      ipamBlocks: this.#watched(`${calicoApi}/ipamblocks`),
    };
    for (const list of Object.values(lists)) list.start();
    return lists;
  }

  #watched(path: string): WatchedList {
    const { client, onChange, timing } = this.#options;
    const onTrouble = (trouble: KubernetesError | null): void => {
      this.#tell(path, trouble);
    };
    return new WatchedList({
      client,
      path,
      onChange: () => onChange(),
      onTrouble,
      ...(timing === undefined ? {} : { timing }),
    });
  }

  #tell(path: string, trouble: KubernetesError | null): void {
    if (trouble === null) this.#troubles.delete(path);
    else this.#troubles.set(path, trouble);
    this.#options.onChange();
  }
}
