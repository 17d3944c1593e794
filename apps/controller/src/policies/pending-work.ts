import type { NodeId } from '@waymark/topology';
import type { PolicyEvent } from './policy-event.js';

/**
 * What goes first: traffic that may be on something broken, then what operators ask for, then what may only get better.
 * A new mesh of 200,000 policies must not stand in the way of a failure.
 */
export const PRIORITIES = ['touched', 'intent', 'improvable'] as const;

export type Priority = (typeof PRIORITIES)[number];

/** Why and since when a policy waits for its evaluation. */
export interface PendingPolicy {
  readonly reoptimise: boolean;
  /** The oldest revision whose consequences it waits for. */
  readonly revision: number;
  readonly event: PolicyEvent;
}

interface PendingSteering {
  readonly revision: number;
  readonly event: PolicyEvent;
  /** It waits for no policies: pods are sending already. */
  readonly isUrgent: boolean;
}

/** Headends that are assigned together, besides those of the policies: a headend of a mesh may have hundreds of policies. */
const MAX_OTHER_HEADENDS = 25;

/** What the leader has seen and not yet published: by priority; within each, in the order of arrival. */
export class PendingWork {
  readonly #policies: Readonly<Record<Priority, Map<string, PendingPolicy>>> = {
    touched: new Map(),
    intent: new Map(),
    improvable: new Map(),
  };
  readonly #steering = new Map<NodeId, PendingSteering>();

  get size(): number {
    return PRIORITIES.reduce((sum, priority) => sum + this.#policies[priority].size, 0);
  }

  get isEmpty(): boolean {
    return this.size === 0 && this.#steering.size === 0;
  }

  /** A policy that waits already keeps its event, but for one that only promised something better. */
  add(id: string, work: PendingPolicy, priority: Priority): void {
    const present = PRIORITIES.find((candidate) => this.#policies[candidate].has(id));
    const known = this.get(id);
    if (present === undefined || known === undefined) {
      this.#policies[priority].set(id, work);
      return;
    }
    const event = present === 'improvable' ? work.event : known.event;
    const merged = { revision: known.revision, reoptimise: known.reoptimise || work.reoptimise, event };
    const isMoreUrgent = PRIORITIES.indexOf(priority) < PRIORITIES.indexOf(present);
    if (isMoreUrgent) this.#policies[present].delete(id);
    this.#policies[isMoreUrgent ? priority : present].set(id, merged);
  }

  get(id: string): PendingPolicy | undefined {
    const present = PRIORITIES.find((priority) => this.#policies[priority].has(id));
    return present && this.#policies[present].get(id);
  }

  /** A headend whose steering must be assigned anew. */
  addSteering(headend: NodeId, steering: PendingSteering): void {
    const known = this.#steering.get(headend);
    if (known === undefined) this.#steering.set(headend, steering);
    else if (steering.isUrgent) this.#steering.set(headend, { ...known, isUrgent: true });
  }

  /** The next policies to evaluate. They stay pending until `done`. */
  next(count: number): Map<string, PendingPolicy> {
    const chunk = new Map<string, PendingPolicy>();
    for (const priority of PRIORITIES) {
      for (const [id, policy] of this.#policies[priority]) {
        if (chunk.size >= count) return chunk;
        chunk.set(id, policy);
      }
    }
    return chunk;
  }

  /**
   * Headends to assign steering for together with these policies, and why: theirs, some that are urgent, and some of those
   * that are left when nothing else is.
   */
  steeringWith(headends: ReadonlySet<NodeId>, isLast: boolean): Map<NodeId, PolicyEvent> {
    const others = [...this.#steering]
      .filter(([headend, { isUrgent }]) => !headends.has(headend) && (isLast || isUrgent))
      .sort(([, a], [, b]) => Number(b.isUrgent) - Number(a.isUrgent));
    const chosen = [
      ...[...this.#steering].filter(([headend]) => headends.has(headend)),
      ...others.slice(0, MAX_OTHER_HEADENDS),
    ];
    return new Map(chosen.sort(([a], [b]) => (a < b ? -1 : 1)).map(([headend, { event }]) => [headend, event]));
  }

  done(ids: Iterable<string>, headends: Iterable<NodeId>): void {
    for (const id of ids) {
      for (const priority of PRIORITIES) this.#policies[priority].delete(id);
    }
    for (const headend of headends) this.#steering.delete(headend);
  }

  /**
   * The newest revision of which nothing is pending once these are done, given that all up to `seen` was looked at: what
   * a new leader would resume from.
   */
  completeThrough(seen: number, ids: ReadonlySet<string>, headends: ReadonlyMap<NodeId, unknown>): number {
    let oldest = seen + 1;
    for (const priority of PRIORITIES) {
      for (const [id, { revision }] of this.#policies[priority]) {
        if (!ids.has(id)) oldest = Math.min(oldest, revision);
      }
    }
    for (const [headend, { revision }] of this.#steering) {
      if (!headends.has(headend)) oldest = Math.min(oldest, revision);
    }
    return oldest - 1;
  }
}
