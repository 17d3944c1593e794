import type { LinkId } from '@waymark/topology';

/**
 * Hysteresis against flapping. A link that returns, or improves soon after it got worse, must stay so for a hold time
 * before it is a reason to move a policy; each relapse doubles that time. Getting worse is never held back.
 */

export interface HoldSettings {
  readonly holdMs: number;
  readonly maxHoldMs: number;
}

export interface LinkHold {
  readonly linkId: LinkId;
  /** Relapses in a row. */
  readonly flaps: number;
  /** ms since the epoch, as all times here. */
  readonly worsenedAt: number;
  /** null: it has not become better since, or its time is over. */
  readonly heldUntil: number | null;
}

export class LinkHolds {
  readonly #settings: HoldSettings;
  readonly #holds: Map<LinkId, LinkHold>;
  readonly #changed = new Set<LinkId>();

  constructor(settings: HoldSettings, stored: readonly LinkHold[] = []) {
    this.#settings = settings;
    this.#holds = new Map(stored.map((hold) => [hold.linkId, hold]));
  }

  /** The link went down, or an attribute of it got worse. */
  worsened(linkId: LinkId, now: number): void {
    const hold = this.#known(linkId, now);
    const relapse = hold !== undefined && now < forgottenAt(hold, this.#settings);
    this.#set({ linkId, flaps: relapse ? hold.flaps + 1 : 0, worsenedAt: now, heldUntil: null });
  }

  /**
   * The link came back (`returned`) or an attribute of it improved. True: it may be used at once; false: `due` will name
   * it when its time is over. An improvement of a link that has not been worse lately is not held.
   */
  improved(linkId: LinkId, returned: boolean, now: number): boolean {
    const hold = this.#known(linkId, now);
    const recent = hold !== undefined && now < forgottenAt(hold, this.#settings);
    if (!recent && !returned) return true;
    if (this.#settings.holdMs === 0) return true;
    const flaps = recent ? hold.flaps : 0;
    const heldUntil = now + holdTime(flaps, this.#settings);
    this.#set({ linkId, flaps, worsenedAt: hold?.worsenedAt ?? now, heldUntil });
    return false;
  }

  /** Links on hold, sorted. */
  held(now: number): LinkId[] {
    return [...this.#holds.values()]
      .map((hold) => asOf(now, hold, this.#settings))
      .filter(({ heldUntil }) => heldUntil !== null && heldUntil > now)
      .map(({ linkId }) => linkId)
      .sort();
  }

  /** Takes the links whose time is over: they count as improved now. Sorted. */
  due(now: number): LinkId[] {
    for (const hold of this.#holds.values()) {
      const possible = asOf(now, hold, this.#settings);
      if (possible !== hold) this.#set(possible);
    }
    const due = [...this.#holds.values()].filter(({ heldUntil }) => heldUntil !== null && heldUntil <= now);
    for (const hold of due) this.#set({ ...hold, heldUntil: null });
    for (const hold of this.#holds.values()) {
      if (hold.heldUntil === null && now >= forgottenAt(hold, this.#settings)) this.#forget(hold.linkId);
    }
    return due.map(({ linkId }) => linkId).sort();
  }

  /** When `due` will next name something; undefined when nothing is on hold. */
  nextDue(): number | undefined {
    const times = [...this.#holds.values()].flatMap(({ heldUntil }) => (heldUntil === null ? [] : [heldUntil]));
    return times.length === 0 ? undefined : Math.min(...times);
  }

  /** What is not stored yet: a hold, or null for one that is forgotten. */
  unstored(): Map<LinkId, LinkHold | null> {
    return new Map([...this.#changed].map((linkId) => [linkId, this.#holds.get(linkId) ?? null]));
  }

  /** `holds` have been stored. */
  stored(holds: ReadonlyMap<LinkId, LinkHold | null>): void {
    for (const linkId of holds.keys()) this.#changed.delete(linkId);
  }

  #known(linkId: LinkId, now: number): LinkHold | undefined {
    const hold = this.#holds.get(linkId);
    return hold && asOf(now, hold, this.#settings);
  }

  #set(hold: LinkHold): void {
    this.#holds.set(hold.linkId, hold);
    this.#changed.add(hold.linkId);
  }

  #forget(linkId: LinkId): void {
    this.#holds.delete(linkId);
    this.#changed.add(linkId);
  }
}

/**
 * The clock may have been set back since a hold was noted, by a leader before or by this one: nothing happened later than now,
 * and nothing is held for longer from now than its whole time.
 */
function asOf(now: number, hold: LinkHold, settings: HoldSettings): LinkHold {
  const { worsenedAt, heldUntil, flaps } = hold;
  const latest = now + holdTime(flaps, settings);
  if (worsenedAt <= now && (heldUntil === null || heldUntil <= latest)) return hold;
  return {
    ...hold,
    worsenedAt: Math.min(worsenedAt, now),
    heldUntil: heldUntil === null ? null : Math.min(heldUntil, latest),
  };
}

function holdTime(flaps: number, { holdMs, maxHoldMs }: HoldSettings): number {
  return Math.min(maxHoldMs, holdMs * 2 ** Math.min(flaps, 30));
}

/** A link that has behaved for twice its hold time after it was worse starts anew. */
function forgottenAt(hold: LinkHold, settings: HoldSettings): number {
  return (hold.heldUntil ?? hold.worsenedAt) + 2 * holdTime(hold.flaps, settings);
}
