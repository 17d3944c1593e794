import { maskedPrefix } from '../address.js';
import type { Family, Step } from '../port.js';
import type { Attempts } from './attempts.js';
import { idOf } from './steering-id.js';
import { removalOf } from './local-sids.js';
import type { Ownership } from './ownership.js';
import { policyRemoval, steeringAdditions, steeringRemovals } from './requests.js';
import type { Vpp } from './vpp-link.js';
import {
  hasTable,
  readPolicies,
  readSteerings,
  readTables,
  type VppLocalSid,
  type VppSteering,
  type VppTable,
} from './vpp-state.js';

/** Takes things away, each for a step, in the order and with the care that VPP needs. */
export class Removals {
  readonly #vpp: Vpp;
  readonly #ownership: Ownership;
  readonly #attempts: Attempts;

  constructor(vpp: Vpp, ownership: Ownership, attempts: Attempts) {
    this.#vpp = vpp;
    this.#ownership = ownership;
    this.#attempts = attempts;
  }

  /** Steerings that were just read, of `all` that were. Puts back those that share a route with one that goes. */
  async steerings(going: ReadonlyMap<VppSteering, Step>, all: readonly VppSteering[]): Promise<void> {
    const tables = await readTables(this.#vpp);
    const staying = byRoute(all.filter((steering) => !going.has(steering)));
    await Promise.all(
      [...going].flatMap(([steering, step]) => {
        if (!this.#tableIsThere(step, tables, steering.family, steering.table)) return [];
        return [
          ...steeringRemovals(steering).map((removal) => this.#call(step, 'sr_steering_add_del', removal)),
          ...(staying.get(routeOf(steering)) ?? [])
            .flatMap(({ family, table, prefix, bsid }) => steeringAdditions(family, table, prefix, bsid))
            .map((addition) => this.#call(step, 'sr_steering_add_del', addition)),
        ];
      }),
    );
  }

  /** SR policies by binding SID, as far as they exist and nothing is steered into them any more. */
  async policies(going: ReadonlyMap<string, Step>): Promise<void> {
    const [policies, steerings, tables] = await Promise.all([
      readPolicies(this.#vpp),
      readSteerings(this.#vpp, this.#ownership.settings),
      readTables(this.#vpp),
    ]);
    const steered = new Map(steerings.map((steering) => [steering.bsid, steering]));
    await Promise.all(
      policies.flatMap(({ bsid, table }) => {
        const step = going.get(bsid);
        if (step === undefined) return [];
        const inUse = steered.get(bsid);
        if (inUse !== undefined) this.#attempts.fail(step, `${idOf(inUse)} is steered into ${bsid}`);
        if (inUse !== undefined || !this.#tableIsThere(step, tables, 'ipv6', table)) return [];
        return [this.#call(step, 'sr_policy_del', policyRemoval(bsid))];
      }),
    );
  }

  async localSid(step: Step, localSid: VppLocalSid, tables: readonly VppTable[]): Promise<void> {
    if (!this.#tableIsThere(step, tables, 'ipv6', localSid.table)) return;
    await this.#call(step, 'sr_localsid_add_del', removalOf(localSid));
  }

  /** Taking something out of a table that is gone kills VPP. */
  #tableIsThere(step: Step, tables: readonly VppTable[], family: Family, id: number): boolean {
    if (hasTable(tables, family, id)) return true;
    this.#attempts.fail(step, `VPP has no ${family} table ${id} any more and would crash; create it again`);
    return false;
  }

  #call(step: Step, ...[name, values]: Parameters<Vpp['call']>): Promise<void> {
    return this.#attempts.make(step, () => this.#vpp.call(name, values));
  }
}

/** Steerings whose prefixes differ in host bits only share one route, which goes with the first of them that is deleted. */
function byRoute(steerings: readonly VppSteering[]): ReadonlyMap<string, readonly VppSteering[]> {
  const routes = new Map<string, VppSteering[]>();
  for (const steering of steerings) {
    const sharing = routes.get(routeOf(steering));
    if (sharing === undefined) routes.set(routeOf(steering), [steering]);
    else sharing.push(steering);
  }
  return routes;
}

function routeOf({ family, table, prefix }: VppSteering): string {
  return idOf({ family, table, prefix: maskedPrefix(prefix) });
}
