import type { Family, SegmentList, Step, Tunnel } from '../port.js';
import type { Attempts } from './attempts.js';
import { objectionToForm, type Ownership } from './ownership.js';
import { planLists, type ListPlan } from './plan-lists.js';
import { listAddition, listRemoval, policyAddition, policyRemoval, reweighing } from './requests.js';
import { steeringAddition, steeringRemoval } from './requests.js';
import type { Vpp } from './vpp-link.js';
import {
  readNumberedLists,
  readPolicies,
  readSteerings,
  type NumberedList,
  type VppPolicy,
  type VppSteering,
} from './vpp-state.js';

export type PutTunnel = Extract<Step, { kind: 'put-tunnel' }>;

/** Where the lists of a tunnel go: into the SR policy that is there, or into a new one. */
interface Placement {
  readonly step: PutTunnel;
  readonly bsid: string;
  readonly wanted: readonly SegmentList[];
  /** null: the SR policy is made anew, after what is in its place was cleared away. */
  readonly plan: ListPlan | null;
  readonly clears: boolean;
}

interface Found {
  readonly policies: ReadonlyMap<string, VppPolicy>;
  readonly lists: ReadonlyMap<string, readonly NumberedList[]>;
  readonly steerings: readonly VppSteering[];
  /** How many prefixes are steered into each binding SID. */
  readonly steered: ReadonlyMap<string, number>;
}

/** What has to hold before a prefix may be steered in the table; run right before. */
export type BeforeSteering = (prefixes: ReadonlyMap<string, Family>) => Promise<void>;

/**
 * Makes tunnels what they should be without a packet lost: lists are added, read back, and only then the old ones deleted,
 * by the numbers that were just read; prefixes are (re-)steered last, into what was read back. All tunnels take each
 * step together, so that thousands of requests are under way at a time.
 */
export class TunnelWriter {
  readonly #vpp: Vpp;
  readonly #ownership: Ownership;
  readonly #attempts: Attempts;
  readonly #beforeSteering: BeforeSteering;

  constructor(vpp: Vpp, ownership: Ownership, attempts: Attempts, beforeSteering: BeforeSteering) {
    this.#vpp = vpp;
    this.#ownership = ownership;
    this.#attempts = attempts;
    this.#beforeSteering = beforeSteering;
  }

  async put(steps: readonly PutTunnel[]): Promise<void> {
    if (steps.length === 0) return;
    const found = await this.#read();
    const placements = steps.map((step) => this.#place(step, found));
    await this.#clear(placements, found);
    await Promise.all(placements.flatMap((placement) => this.#additions(placement)));
    const verified = await this.#verify(placements);
    await this.#steer(verified, found);
  }

  async #read(): Promise<Found> {
    const [policies, lists, steerings] = await Promise.all([
      readPolicies(this.#vpp),
      readNumberedLists(this.#vpp),
      readSteerings(this.#vpp),
    ]);
    const steered = new Map<string, number>();
    for (const { bsid } of steerings) steered.set(bsid, (steered.get(bsid) ?? 0) + 1);
    return { policies: new Map(policies.map((policy) => [policy.bsid, policy])), lists, steerings, steered };
  }

  /** Prefers the SR policy that most of the tunnel's prefixes are in already, and its second binding SID to a gap. */
  #place(step: PutTunnel, found: Found): Placement {
    const { tunnel } = step;
    const wanted = this.#listsOf(tunnel);
    const steered = (bsid: string): number => found.steered.get(bsid) ?? 0;
    const slots = [tunnel.bsid, tunnel.alternateBsid].sort((a, b) => steered(b) - steered(a));
    for (const bsid of slots) {
      const policy = found.policies.get(bsid);
      if (policy === undefined || objectionToForm(policy, this.#ownership) !== null) continue;
      const plan = planLists(found.lists.get(bsid) ?? [], wanted);
      if (plan !== null) return { step, bsid, wanted, plan, clears: false };
    }
    const free = [tunnel.bsid, tunnel.alternateBsid].find((bsid) => !found.policies.has(bsid));
    const bsid = free ?? slots.at(-1) ?? tunnel.bsid;
    return { step, bsid, wanted, plan: null, clears: free === undefined };
  }

  #listsOf({ action }: Tunnel): readonly SegmentList[] {
    if (action.kind === 'encapsulate') return action.segmentLists;
    return [{ weight: 1, sids: [this.#ownership.dropSid] }];
  }

  /** An SR policy in a form that is not ours goes with all that is steered into it; never under its steering. */
  async #clear(placements: readonly Placement[], { steerings }: Found): Promise<void> {
    await Promise.all(
      placements
        .filter(({ clears }) => clears)
        .flatMap(({ step, bsid }) => [
          ...steerings
            .filter((steering) => steering.bsid === bsid)
            .map((steering) => this.#call(step, 'sr_steering_add_del', steeringRemoval(steering))),
          this.#call(step, 'sr_policy_del', policyRemoval(bsid)),
        ]),
    );
  }

  #additions({ step, bsid, wanted, plan }: Placement): Promise<void>[] {
    const { encapSource } = this.#ownership.settings;
    const add = (list: SegmentList) => this.#call(step, 'sr_policy_mod_v2', listAddition(bsid, list, encapSource));
    if (plan === null) {
      const [first, ...others] = wanted;
      if (first === undefined) throw new Error('a tunnel has no segment list');
      return [this.#call(step, 'sr_policy_add_v2', policyAddition(bsid, first, encapSource)), ...others.map(add)];
    }
    return [
      ...plan.additions.map(add),
      ...plan.reweighings.map(({ slIndex, weight }) =>
        this.#call(step, 'sr_policy_mod_v2', reweighing(bsid, slIndex, weight, encapSource)),
      ),
    ];
  }

  /** Reads back, deletes the lists that are obsolete, and returns the tunnels that hold every wanted list. */
  async #verify(placements: readonly Placement[]): Promise<readonly Placement[]> {
    const lists = await readNumberedLists(this.#vpp);
    const { encapSource } = this.#ownership.settings;
    const verified: Placement[] = [];
    const removals: Promise<void>[] = [];
    for (const placement of placements) {
      const { step, bsid, wanted } = placement;
      const rest = planLists(lists.get(bsid) ?? [], wanted);
      if (rest === null || rest.additions.length > 0 || rest.reweighings.length > 0) {
        this.#attempts.fail(step, `read back, SR policy ${bsid} does not hold its segment lists`);
        continue;
      }
      this.#attempts.forgive(step);
      verified.push(placement);
      for (const { slIndex } of rest.obsolete) {
        removals.push(this.#call(step, 'sr_policy_mod_v2', listRemoval(bsid, slIndex, encapSource)));
      }
    }
    await Promise.all(removals);
    return verified;
  }

  async #steer(placements: readonly Placement[], found: Found): Promise<void> {
    const { table } = this.#ownership.settings;
    const steerings = new Map(
      found.steerings
        .filter((steering) => steering.table === table)
        .map((steering) => [`${steering.family} ${steering.prefix}`, steering]),
    );
    const due = placements.flatMap((placement) =>
      placement.step.tunnel.steeredPrefixes.flatMap((prefix) => {
        const { family } = placement.step.tunnel;
        const present = steerings.get(`${family} ${prefix}`);
        if (present !== undefined && !this.#ownership.ownsBsid(present.bsid)) {
          this.#attempts.fail(placement.step, `${prefix} is steered into BSID ${present.bsid}, which is not ours`);
          return [];
        }
        const isRight = placement.plan !== null && present?.bsid === placement.bsid;
        return isRight ? [] : [{ ...placement, family, prefix }];
      }),
    );
    if (due.length === 0) return;
    await this.#beforeSteering(new Map(due.map(({ prefix, family }) => [prefix, family])));
    await Promise.all(
      due.map(({ step, family, prefix, bsid }) =>
        this.#call(step, 'sr_steering_add_del', steeringAddition(family, table, prefix, bsid)),
      ),
    );
  }

  #call(step: PutTunnel, ...[name, values]: Parameters<Vpp['call']>): Promise<void> {
    return this.#attempts.make(step, () => this.#vpp.call(name, values));
  }
}
