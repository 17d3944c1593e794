import type { NodeId } from '@waymark/topology';
import type { Logger } from 'pino';
import type { ClusterProblem } from '../../model/kubernetes.js';
import type { TopologyService } from '../../model/ports.js';
import type { ClassMember, MemberChanges, ServiceClassService } from '../../model/service-class.js';
import type { ApiClient } from '../api-client.js';
import type { WatchTiming } from '../watched-list.js';
import { WorkLoop } from '../work-loop.js';
import { classMembers } from './class-members.js';
import { FollowedLabels } from './followed-labels.js';

export interface ClassSourceOptions {
  /** Name of the cluster. */
  readonly cluster: string;
  readonly client: ApiClient;
  readonly classes: Pick<ServiceClassService, 'members' | 'changeMembers'>;
  readonly topology: Pick<TopologyService, 'clusterHosts' | 'onRevision'>;
  /** How long namespaces that go together with most others keep their members, in milliseconds. */
  readonly graceMs: number;
  readonly log: Logger;
  readonly timing?: Partial<WatchTiming>;
}

/** The first change is stated at once, those that follow on its heels together: each statement is a revision. */
const SETTLE_MS = 20;
const INTERVAL_MS = 250;
/** Most events of pods change nothing here: after a look at thousands it rests so many times as long, up to the interval. */
const REST = 5;

const MEMBERS = 'members';

/**
 * States which pods of a cluster are in which service class, while this controller leads.
 *
 *   labels of namespaces and pods, hosts of the cluster ─► members ─► what is different, as one revision
 */
export class ClassSource {
  readonly #options: ClassSourceOptions;
  readonly #labels: FollowedLabels;
  readonly #loop: WorkLoop;
  #problems: readonly ClusterProblem[] = [];
  /** Of the newest TED; undefined: to be read from there. */
  #hosts: ReadonlyMap<string, NodeId> | undefined;
  /** Newest that was heard of. */
  #tedRevision = -1;
  /** undefined: to be read from the database. */
  #stated: readonly ClassMember[] | undefined;
  #notBefore = 0;
  /** When namespaces were lost that are kept since. */
  #lostSince: number | undefined;
  #epoch = 0;

  constructor(options: ClassSourceOptions) {
    this.#options = options;
    this.#labels = new FollowedLabels({
      ...options,
      onChange: () => {
        this.#changed();
      },
    });
    this.#loop = new WorkLoop({
      work: () => this.#work(),
      isReady: () => this.#labels.isListed,
      onFailure: (_, error) => {
        const { log, cluster } = options;
        log.warn({ err: error, cluster }, 'service classes of a cluster could not be written; tried again');
      },
    });
  }

  get trouble(): string | null {
    return this.#labels.trouble;
  }

  problems(): readonly ClusterProblem[] {
    return this.#problems;
  }

  start(): void {
    this.#labels.start();
  }

  async stop(): Promise<void> {
    await this.#labels.stop();
  }

  /** Works until the signal is given. Rejects never. */
  async lead(signal: AbortSignal, epoch: number): Promise<void> {
    this.#epoch = epoch;
    // Another controller may have led since.
    this.#stated = undefined;
    this.#hosts = undefined;
    this.#lostSince = undefined;
    const end = this.#options.topology.onRevision(({ tedRevision }) => {
      if (tedRevision === this.#tedRevision) return;
      this.#tedRevision = tedRevision;
      this.#hosts = undefined;
      this.#changed();
    });
    const running = this.#loop.run(signal);
    this.#changed();
    await running;
    end();
    this.#problems = [];
  }

  #changed(): void {
    const wait = Math.min(this.#notBefore - performance.now(), INTERVAL_MS);
    this.#loop.add(MEMBERS, Math.max(wait, SETTLE_MS));
  }

  async #work(): Promise<void> {
    const began = performance.now();
    this.#notBefore = began + INTERVAL_MS;
    if (await this.#state(began)) return;
    const ended = performance.now();
    this.#notBefore = ended + Math.min((ended - began) * REST, INTERVAL_MS);
  }

  /** Returns whether anything was different. */
  async #state(now: number): Promise<boolean> {
    const { cluster, classes, graceMs } = this.#options;
    const hosts = this.#hosts ?? (await this.#readHosts());
    const stated = (this.#stated ??= await classes.members(cluster));
    const seen = this.#labels.seen();
    if (seen === undefined) return false;
    const believesLoss = this.#lostSince !== undefined && now - this.#lostSince >= graceMs;
    const { members, problems, lost } = classMembers({ seen, hosts, stated, believesLoss });
    this.#problems = problems;
    if (lost.size > 0) {
      this.#lostSince ??= now;
      this.#loop.add(MEMBERS, this.#lostSince + graceMs - now);
    }
    const changes = memberChanges(stated, members);
    const isDifferent = changes.put.length + changes.removed.length > 0;
    if (isDifferent) {
      // Should it fail, who knows whether it was written.
      this.#stated = undefined;
      await classes.changeMembers(this.#epoch, cluster, changes);
      this.#stated = members;
    }
    // Not before it is written that they are gone: else the grace would begin anew.
    if (lost.size === 0) this.#lostSince = undefined;
    return isDifferent;
  }

  async #readHosts(): Promise<ReadonlyMap<string, NodeId>> {
    const readAt = this.#tedRevision;
    const stated = await this.#options.topology.clusterHosts(this.#options.cluster);
    const hosts = new Map(stated.map(({ name, id }) => [name, id]));
    // Those of before a change would stay until the next one.
    if (readAt === this.#tedRevision) this.#hosts = hosts;
    return hosts;
  }
}

export function memberChanges(before: readonly ClassMember[], after: readonly ClassMember[]): MemberChanges {
  const keyOf = ({ headend, address }: ClassMember) => `${headend} ${address}`;
  const known = new Map(before.map((member) => [keyOf(member), member]));
  const put = after.filter((member) => {
    const same = known.get(keyOf(member));
    known.delete(keyOf(member));
    return same?.color !== member.color || same.namespace !== member.namespace || same.pod !== member.pod;
  });
  return { put, removed: [...known.values()].map(({ headend, address }) => ({ headend, address })) };
}
