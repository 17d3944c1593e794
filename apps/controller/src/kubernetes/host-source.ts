import type { FoundHost } from '@waymark/kubernetes-resources';
import type { Logger } from 'pino';
import { FollowingAbort } from '../model/following-abort.js';
import { pause } from '../model/pause.js';
import type { ClusterHostsView } from '../model/kubernetes.js';
import type { TopologyService } from '../model/ports.js';
import type { ClusterHost } from '../model/topology.js';
import type { Cluster } from './cluster.js';
import type { ClusterConfig, KubernetesSettings } from './kubernetes-config.js';
import { Lingering } from './lingering.js';
import { stateHosts, type ClusterStatement } from './state-hosts.js';

export interface HostSourceOptions {
  readonly settings: KubernetesSettings;
  readonly clusters: readonly { readonly config: ClusterConfig; readonly cluster: Cluster }[];
  readonly topology: Pick<TopologyService, 'applyClusterHosts' | 'clusterHosts'>;
  readonly log: Logger;
  /** Milliseconds; of a clock that does not go back. */
  readonly now: () => number;
}

/** Changes come in bursts: those of so many milliseconds are stated together. */
const SETTLE_MS = 200;
const RETRY_MS = 5_000;
const HELD_MS = 5_000;
const IDLE_MS = 600_000;

/**
 * Keeps the topology's sources `kubernetes:<cluster>` equal to what the clusters say, while this controller leads.
 *
 *   clusters ─► hosts, and those gone for less than the grace period ─► no id, no prefix twice ─► one statement per cluster
 */
export class HostSource {
  readonly #options: HostSourceOptions;
  readonly #members: readonly Member[];
  #statements: readonly ClusterStatement[] = [];
  #wake: (() => void) | undefined;
  #changed = true;

  constructor(options: HostSourceOptions) {
    this.#options = options;
    this.#members = options.clusters.map(({ config, cluster }) => new Member(config, cluster, options.settings));
  }

  /** Something about a cluster is different. */
  readonly changed = (): void => {
    this.#changed = true;
    this.#wake?.();
  };

  /** Follows the clusters until the signal is given. Rejects never. */
  async lead(signal: AbortSignal): Promise<void> {
    const { log, now } = this.#options;
    for (const member of this.#members) member.forget();
    while (!signal.aborted) {
      this.#changed = false;
      let failed = false;
      try {
        await this.#state();
      } catch (error) {
        failed = true;
        log.warn({ err: error }, 'hosts of clusters could not be written; tried again');
      }
      const ends = this.#members.map((member) => member.nextEnd).filter((end) => end !== null);
      const nextEnd = ends.length === 0 ? undefined : Math.max(0, Math.min(...ends) - now());
      await this.#sleep(failed ? RETRY_MS : nextEnd, signal);
    }
  }

  views(): readonly ClusterHostsView[] {
    return this.#members.map((member, i) => member.view(this.#statements[i]));
  }

  async #state(): Promise<void> {
    const { topology, now } = this.#options;
    for (const member of this.#members) member.stated ??= await topology.clusterHosts(member.config.name);
    const views = this.#members.map((member) => member.look(now()));
    this.#statements = stateHosts(views);
    for (const [i, member] of this.#members.entries()) {
      const statement = this.#statements[i];
      // A cluster that has not said anything yet is not made to say that it has nothing.
      if (statement === undefined || views[i]?.found === undefined) continue;
      const { name } = member.config;
      // Nodes tell of themselves all the time, and every statement waits for all other writers.
      const text = JSON.stringify(statement.hosts);
      if (text === member.applied) continue;
      const result = await topology.applyClusterHosts(name, statement.hosts, { name: `kubernetes:${name}` });
      member.held = result.outcome === 'held' ? result.reason : null;
      member.applied = result.outcome === 'applied' ? text : undefined;
      if (result.outcome === 'applied') member.stated = statement.hosts;
    }
  }

  async #sleep(milliseconds: number | undefined, signal: AbortSignal): Promise<void> {
    const woken = new FollowingAbort(signal);
    this.#wake = woken.abort;
    // An operator may release what is held.
    const most = this.#members.some(({ held }) => held !== null) ? HELD_MS : IDLE_MS;
    if (!this.#changed) await pause(Math.min(milliseconds ?? most, most), woken.signal);
    woken.letGo();
    this.#wake = undefined;
    await pause(SETTLE_MS, signal);
  }
}

/** One cluster of the source. */
class Member {
  /** What the TED has of it; undefined: not read yet. */
  stated: readonly ClusterHost[] | undefined;
  held: string | null = null;
  /** What was stated last and believed, as text. */
  applied: string | undefined;
  #nodes: Lingering<FoundHost> | undefined;
  readonly #prefixes = new Map<string, Lingering<true>>();

  constructor(
    readonly config: ClusterConfig,
    private readonly cluster: Cluster,
    private readonly settings: KubernetesSettings,
  ) {}

  /** Another controller may have led since. */
  forget(): void {
    this.stated = undefined;
    this.applied = undefined;
    this.#nodes = undefined;
    this.#prefixes.clear();
  }

  get nextEnd(): number | null {
    const ends = [this.#nodes, ...this.#prefixes.values()]
      .map((one) => one?.nextEnd ?? null)
      .filter((end) => end !== null);
    return ends.length === 0 ? null : Math.min(...ends);
  }

  look(now: number) {
    const stated = this.stated ?? [];
    const found = this.cluster.hosts()?.hosts;
    return { config: this.config, found: found === undefined ? undefined : this.#lasting(found, stated, now), stated };
  }

  /** With hosts and prefixes that went a moment ago, unless another host has taken the prefix. */
  #lasting(found: readonly FoundHost[], stated: readonly ClusterHost[], now: number): readonly FoundHost[] {
    const { nodeGraceMs, prefixGraceMs } = this.settings;
    const present = new Map(found.map((host) => [host.name, host]));
    const claimed = new Set(found.flatMap(({ podPrefixes }) => podPrefixes));
    const before = new Map(stated.map((host) => [host.name, host]));
    // What the TED has was there until now, as far as this controller knows.
    this.#nodes ??= new Lingering(nodeGraceMs, new Map([...before].map(([name, host]) => [name, asFound(host)])));
    const hosts = this.#nodes.update(present, now);
    for (const name of this.#prefixes.keys()) if (!hosts.has(name)) this.#prefixes.delete(name);
    return [...hosts.values()].map((host) => {
      const own = new Set(present.has(host.name) ? host.podPrefixes : []);
      const lasting =
        this.#prefixes.get(host.name) ?? new Lingering(prefixGraceMs, asKeys(before.get(host.name)?.podPrefixes));
      this.#prefixes.set(host.name, lasting);
      const kept = lasting.update(asKeys(host.podPrefixes), now);
      return { ...host, podPrefixes: [...kept.keys()].filter((prefix) => own.has(prefix) || !claimed.has(prefix)) };
    });
  }

  view(statement: ClusterStatement | undefined): ClusterHostsView {
    const facts = this.cluster.hosts();
    return {
      name: this.config.name,
      server: this.cluster.server,
      synced: facts !== undefined,
      trouble: this.cluster.trouble,
      held: this.held,
      nodes: facts?.hosts.length ?? 0,
      notReady: facts?.hosts.filter(({ ready }) => !ready).map(({ name }) => name) ?? [],
      problems: [
        ...(facts?.problems ?? []),
        ...(statement?.refusedNodes ?? []).map(({ node, message }) => ({ object: `Node ${node}`, message })),
        ...(statement?.refusedPrefixes ?? []).map(({ host, prefix, holder }) => ({
          object: `Node ${host}`,
          message: `pod prefix ${prefix} overlaps ${holder.prefix} of ${holder.host} in cluster ${holder.cluster}`,
        })),
      ],
    };
  }
}

function asKeys(names: readonly string[] = []): ReadonlyMap<string, true> {
  return new Map(names.map((name) => [name, true]));
}

function asFound({ id, name, site, address, podPrefixes, attachedTo }: ClusterHost): FoundHost {
  return { name, nodeId: id, site, address, ready: false, attachedTo, podPrefixes, unclear: [] };
}
