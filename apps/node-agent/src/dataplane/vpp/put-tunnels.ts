import { maskedPrefix } from '../address.js';
import { DataPlaneError, type SegmentList, type Step, type Tunnel } from '../port.js';
import type { Attempts } from './attempts.js';
import { tableOfColor } from './class-table-ids.js';
import type { ComingSteering } from './class-exceptions.js';
import { clashing, isUndivided, partsOf } from './default-route.js';
import { idOf } from './steering-id.js';
import { objectionToForm, type Ownership } from './ownership.js';
import { planLists, type ListPlan } from './plan-lists.js';
import type { Removals } from './removals.js';
import { listAddition, listRemoval, policyAddition, reweighing, steeringAdditions } from './requests.js';
import { hasRoute } from './routes.js';
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
  /** The same, by the binding SID where they lead. */
  readonly into: ReadonlyMap<string, readonly VppSteering[]>;
}

/** Makes what has to hold before prefixes may be steered; run right before. Returns why nothing may be in a table, by its id. */
export type BeforeSteering = (coming: readonly ComingSteering[]) => Promise<ReadonlyMap<number, string>>;

/**
 * Makes tunnels what they should be without a packet lost: lists are added, read back, and only then the old ones deleted,
 * by the numbers that were just read; prefixes are (re-)steered last, into what was read back. All tunnels take each
 * step together, so that thousands of requests are under way at a time.
 */
export class TunnelWriter {
  readonly #vpp: Vpp;
  readonly #ownership: Ownership;
  readonly #attempts: Attempts;
  readonly #removals: Removals;
  readonly #beforeSteering: BeforeSteering;

  constructor(vpp: Vpp, ownership: Ownership, attempts: Attempts, removals: Removals, beforeSteering: BeforeSteering) {
    this.#vpp = vpp;
    this.#ownership = ownership;
    this.#attempts = attempts;
    this.#removals = removals;
    this.#beforeSteering = beforeSteering;
  }

  async put(steps: readonly PutTunnel[]): Promise<void> {
    if (steps.length === 0) return;
    const found = await this.#read();
    const receivers = new Map(
      steps.flatMap((step) => this.#targets(step).map((target): [string, PutTunnel] => [idOf(target), step])),
    );
    const placements = await this.#clear(
      steps.map((step) => this.#place(step, found, receivers)),
      found,
    );
    await Promise.all(placements.flatMap((placement) => this.#additions(placement)));
    const verified = await this.#verify(placements);
    await this.#steer(verified, found);
  }

  async #read(): Promise<Found> {
    const [policies, lists, steerings] = await Promise.all([
      readPolicies(this.#vpp),
      readNumberedLists(this.#vpp),
      readSteerings(this.#vpp, this.#ownership.settings),
    ]);
    const unlisted = policies.find(({ bsid }) => this.#ownership.ownsBsid(bsid) && !lists.has(bsid));
    if (unlisted !== undefined) {
      throw new DataPlaneError(`VPP shows SR policy ${unlisted.bsid} once with and once without its segment lists`);
    }
    const into = new Map<string, VppSteering[]>();
    for (const steering of steerings) {
      const others = into.get(steering.bsid);
      if (others === undefined) into.set(steering.bsid, [steering]);
      else others.push(steering);
    }
    return { policies: new Map(policies.map((policy) => [policy.bsid, policy])), lists, steerings, into };
  }

  /**
   * Prefers the SR policy that most of the tunnel's prefixes are in already, and its second binding SID to a gap. So too when
   * the policy gets other lists while another tunnel is to take over a prefix of it, which must not meet those lists.
   */
  #place(step: PutTunnel, found: Found, receivers: ReadonlyMap<string, PutTunnel>): Placement {
    const { tunnel } = step;
    const wanted = this.#listsOf(tunnel);
    const free = [tunnel.bsid, tunnel.alternateBsid].find((bsid) => !found.policies.has(bsid));
    const steered = (bsid: string): number => found.into.get(bsid)?.length ?? 0;
    const handsOver = (bsid: string): boolean =>
      (found.into.get(bsid) ?? []).some((steering) => {
        const receiver = receivers.get(idOf(steering));
        return receiver !== undefined && receiver !== step;
      });
    const slots = [tunnel.bsid, tunnel.alternateBsid].sort((a, b) => steered(b) - steered(a));
    for (const bsid of slots) {
      const policy = found.policies.get(bsid);
      if (policy === undefined || objectionToForm(policy, this.#ownership) !== null) continue;
      const plan = planLists(found.lists.get(bsid) ?? [], wanted);
      if (plan === null || (plan.additions.length > 0 && free !== undefined && handsOver(bsid))) continue;
      return { step, bsid, wanted, plan, clears: false };
    }
    const bsid = free ?? slots.at(-1) ?? tunnel.bsid;
    return { step, bsid, wanted, plan: null, clears: free === undefined };
  }

  #listsOf({ action }: Tunnel): readonly SegmentList[] {
    if (action.kind === 'encapsulate') return action.segmentLists;
    return [{ weight: 1, sids: [this.#ownership.dropSid] }];
  }

  /**
   * An SR policy in a form that is not ours goes with all that is steered into it. Returns the tunnels whose place is free
   * then, and those that needed no such thing.
   */
  async #clear(placements: readonly Placement[], { steerings, into }: Found): Promise<readonly Placement[]> {
    const clearing = placements.filter(({ clears }) => clears);
    if (clearing.length === 0) return placements;
    const going = clearing.flatMap(({ step, bsid }) =>
      (into.get(bsid) ?? []).map((steering): [VppSteering, Step] => [steering, step]),
    );
    await this.#removals.steerings(new Map(going), steerings);
    await this.#removals.policies(new Map(clearing.map(({ step, bsid }) => [bsid, step])));
    return placements.filter(({ step, clears }) => !clears || !this.#attempts.hasFailed(step));
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
    const inForm = found.steerings.filter(
      (steering) => !isUndivided(steering) || !this.#ownership.ownsBsid(steering.bsid),
    );
    const steerings = new Map(inForm.map((steering) => [idOf(steering), steering]));
    const due = placements.flatMap((placement) =>
      this.#targets(placement.step).flatMap((target) => {
        const present = steerings.get(idOf(target));
        if (present !== undefined && !this.#ownership.ownsBsid(present.bsid)) {
          this.#attempts.fail(
            placement.step,
            `${target.prefix} is steered into BSID ${present.bsid}, which is not ours`,
          );
          return [];
        }
        const isRight = placement.plan !== null && present?.bsid === placement.bsid && present.routed;
        const isNew = present?.routed !== true;
        return isRight ? [] : [{ step: placement.step, bsid: placement.bsid, isNew, ...target }];
      }),
    );
    if (due.length === 0) return;
    const refusals = await this.#beforeSteering(due);
    const taken = new Set([...steerings.keys(), ...due.map(idOf)]);
    const ready = due.filter(({ table }) => !refusals.has(table));
    const routed = await routedAlready(
      this.#vpp,
      ready.filter(({ isNew }) => isNew),
    );
    await Promise.all(
      due.flatMap(({ step, family, table, prefix, bsid }) => {
        const clash = clashing(prefix).find((other) => taken.has(idOf({ family, table, prefix: other })));
        const refusal =
          refusals.get(table) ??
          (clash && `VPP cannot steer ${prefix} beside ${clash}, which it does in two halves`) ??
          routed.get(idOf({ family, table, prefix }));
        if (refusal === undefined) {
          return steeringAdditions(family, table, prefix, bsid).map((addition) =>
            this.#call(step, 'sr_steering_add_del', addition),
          );
        }
        this.#attempts.fail(step, refusal);
        return [];
      }),
    );
  }

  #targets({ tunnel: { family, steeredPrefixes } }: PutTunnel): readonly ComingSteering[] {
    const { settings } = this.#ownership;
    return steeredPrefixes.map(({ prefix, color }) => ({
      family,
      table: color === null ? settings.table : tableOfColor(settings, color),
      prefix,
    }));
  }

  #call(step: PutTunnel, ...[name, values]: Parameters<Vpp['call']>): Promise<void> {
    return this.#attempts.make(step, () => this.#vpp.call(name, values));
  }
}

/** Which of these prefixes have a route already, by their ids, each with what to say. VPP would lose a share of their packets. */
async function routedAlready(vpp: Vpp, targets: readonly ComingSteering[]): Promise<ReadonlyMap<string, string>> {
  const found = await Promise.all(
    targets.map(async (target): Promise<[string, string] | null> => {
      const routes = partsOf(target.prefix).map((part) => hasRoute(vpp, maskedPrefix(part), target.table));
      if (!(await Promise.all(routes)).includes(true)) return null;
      const reason = `table ${target.table} has a route for ${target.prefix}, beside which VPP would lose packets; remove it`;
      return [idOf(target), reason];
    }),
  );
  return new Map(found.filter((each) => each !== null));
}
