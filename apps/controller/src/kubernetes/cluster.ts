import {
  clusterHosts,
  partsOfBlockAffinity,
  partsOfIpamBlock,
  partsOfIpPool,
  partsOfNode,
  type BlockAffinity,
  type ClusterHosts,
  type IpPool,
  type IpamBlock,
  type KubernetesNode,
} from '@waymark/kubernetes-resources';
import { pause } from '../model/pause.js';
import { KubernetesError, type ApiClient } from './api-client.js';
import { defaultTiming, WatchedList, type KubernetesObject, type WatchTiming } from './watched-list.js';

export interface ClusterOptions {
  readonly client: ApiClient;
  /** Its hosts may have changed, or the trouble with its API server has. */
  readonly onChange: () => void;
  readonly timing?: Partial<WatchTiming>;
}

const calicoApi = '/apis/crd.projectcalico.org/v1';
const nodesPath = '/api/v1/nodes';

interface CalicoLists {
  readonly blockAffinities: WatchedList<BlockAffinity>;
  readonly ipPools: WatchedList<IpPool>;
  readonly ipamBlocks: WatchedList<IpamBlock>;
}

/** One API server, read-only: the nodes of its cluster and what Calico says of their pods. */
export class Cluster {
  readonly #options: ClusterOptions;
  readonly #troubles = new Map<string, KubernetesError>();
  readonly #nodes: WatchedList<KubernetesNode>;
  readonly #stopped = new AbortController();
  /** undefined: not known yet; null: the cluster has no Calico. */
  #calico: CalicoLists | null | undefined;
  #discovering: Promise<void> | undefined;
  /** What its objects make; undefined: they have changed since. */
  #hosts: ClusterHosts | undefined;

  constructor(options: ClusterOptions) {
    this.#options = options;
    this.#nodes = this.#watched(nodesPath, partsOfNode);
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
    this.#hosts ??= this.#found();
    return this.#hosts;
  }

  #found(): ClusterHosts | undefined {
    const nodes = this.#nodes.objects;
    if (nodes === undefined || this.#calico === undefined) return undefined;
    if (this.#calico === null) return clusterHosts({ nodes: [...nodes], calico: null });
    const blockAffinities = this.#calico.blockAffinities.objects;
    const ipPools = this.#calico.ipPools.objects;
    const ipamBlocks = this.#calico.ipamBlocks.objects;
    if (blockAffinities === undefined || ipPools === undefined || ipamBlocks === undefined) return undefined;
    return clusterHosts({
      nodes: [...nodes],
      calico: { blockAffinities: [...blockAffinities], ipPools: [...ipPools], ipamBlocks: [...ipamBlocks] },
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
          this.#changed();
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
      blockAffinities: this.#watched(`${calicoApi}/blockaffinities`, partsOfBlockAffinity),
      ipPools: this.#watched(`${calicoApi}/ippools`, partsOfIpPool),
      ipamBlocks: this.#watched(`${calicoApi}/ipamblocks`, partsOfIpamBlock),
    };
    for (const list of Object.values(lists)) list.start();
    return lists;
  }

  #watched<Parts>(path: string, parts: (object: KubernetesObject) => Parts): WatchedList<Parts> {
    const { client, timing } = this.#options;
    const onTrouble = (trouble: KubernetesError | null): void => {
      this.#tell(path, trouble);
    };
    return new WatchedList({
      client,
      path,
      parts,
      onChange: () => {
        this.#changed();
      },
      onTrouble,
      ...(timing === undefined ? {} : { timing }),
    });
  }

  #changed(): void {
    this.#hosts = undefined;
    this.#options.onChange();
  }

  #tell(path: string, trouble: KubernetesError | null): void {
    if (trouble === null) this.#troubles.delete(path);
    else this.#troubles.set(path, trouble);
    this.#options.onChange();
  }
}
