import { maskedPrefix } from '../address.js';
import { DataPlaneError, type Family, type LocalSid, type Step, type StepFailure } from '../port.js';
import { Attempts } from './attempts.js';
import { idOf } from './interpret.js';
import { additionOf, removalOf, type InterfaceNames } from './local-sids.js';
import type { Ownership } from './ownership.js';
import { applyProbeSteps } from './probe-routes.js';
import { TunnelWriter, type BeforeSteering } from './put-tunnels.js';
import { policyRemoval, steeringAddition, steeringRemoval } from './requests.js';
import type { Vpp } from './vpp-link.js';
import { readInterfaceNames } from './interfaces.js';
import {
  readLocalSids,
  readPolicies,
  readSteerings,
  readTables,
  type VppSteering,
  type VppTable,
} from './vpp-state.js';

type StepOf<K extends Step['kind']> = Extract<Step, { kind: K }>;

const PROBES = 'in which probes are to be steered';

/** Carries steps out. Throws VppDisconnectedError when VPP goes away meanwhile. */
export async function applySteps(
  vpp: Vpp,
  steps: readonly Step[],
  ownership: Ownership,
  beforeSteering: BeforeSteering,
): Promise<readonly StepFailure[]> {
  const attempts = new Attempts();
  const change = new Change(vpp, ownership, attempts);
  const of = <K extends Step['kind']>(kind: K) => steps.filter((step): step is StepOf<K> => step.kind === kind);
  await change.putLocalSids(of('put-local-sid'));
  const { probe } = ownership.settings;
  if (probe !== null) {
    const probeSteps = [...of('put-probe-route'), ...of('remove-probe-route')];
    if (probeSteps.length > 0) requireTable(await readTables(vpp), 'ipv6', probe.table, PROBES);
    await applyProbeSteps(vpp, probeSteps, ownership, probe, attempts);
  }
  await new TunnelWriter(vpp, ownership, attempts, beforeSteering).put(of('put-tunnel'));
  await change.removeSteerings([...of('unsteer'), ...of('remove-stray')]);
  await change.removeTunnels(of('remove-tunnel'));
  await change.removeLocalSids(of('remove-local-sid'));
  return attempts.failures;
}

/** Steering into a table that does not exist kills VPP, and so does a dump of local SIDs that decapsulate into one. */
export function requireTables(tables: readonly VppTable[], id: number, purpose: string): void {
  requireTable(tables, 'ipv4', id, purpose);
  requireTable(tables, 'ipv6', id, purpose);
}

export function requireTable(tables: readonly VppTable[], family: Family, id: number, purpose: string): void {
  if (tables.some((table) => table.family === family && table.id === id)) return;
  const command = `${family === 'ipv4' ? 'ip' : 'ip6'} table add ${id}`;
  throw new DataPlaneError(`VPP has no ${family} table ${id}, ${purpose}; create it first: ${command}`);
}

class Change {
  readonly #vpp: Vpp;
  readonly #ownership: Ownership;
  readonly #attempts: Attempts;

  constructor(vpp: Vpp, ownership: Ownership, attempts: Attempts) {
    this.#vpp = vpp;
    this.#ownership = ownership;
    this.#attempts = attempts;
  }

  async putLocalSids(steps: readonly StepOf<'put-local-sid'>[]): Promise<void> {
    if (steps.length === 0) return;
    const { settings } = this.#ownership;
    const [found, tables, interfaces] = await Promise.all([
      readLocalSids(this.#vpp),
      readTables(this.#vpp),
      readInterfaceNames(this.#vpp),
    ]);
    requireTables(tables, settings.decapTable, 'where local SIDs decapsulate into');
    await Promise.all(
      steps.flatMap((step) => [
        // VPP changes no local SID: what replaces one has to wait for its place.
        ...found
          .filter(({ sid }) => sid === step.localSid.sid)
          .map((before) => this.#call(step, 'sr_localsid_add_del', removalOf(before))),
        this.#addLocalSid(step, step.localSid, interfaces),
      ]),
    );
  }

  async removeLocalSids(steps: readonly StepOf<'remove-local-sid'>[]): Promise<void> {
    if (steps.length === 0) return;
    const found = await readLocalSids(this.#vpp);
    await Promise.all(
      steps.flatMap((step) =>
        found
          .filter(({ sid }) => sid === step.localSid.sid)
          .map((localSid) => this.#call(step, 'sr_localsid_add_del', removalOf(localSid))),
      ),
    );
  }

  async removeSteerings(steps: readonly (StepOf<'unsteer'> | StepOf<'remove-stray'>)[]): Promise<void> {
    if (steps.length === 0) return;
    const { table } = this.#ownership.settings;
    const steerings = await readSteerings(this.#vpp);
    const ours = new Map(
      steerings.filter(({ bsid }) => this.#ownership.ownsBsid(bsid)).map((steering) => [idOf(steering), steering]),
    );
    await Promise.all(
      steps.flatMap((step) => {
        const id = step.kind === 'unsteer' ? idOf({ ...step, table, bsid: '' }) : step.stray.id;
        const steering = ours.get(id);
        if (steering === undefined) return [];
        return [
          this.#call(step, 'sr_steering_add_del', steeringRemoval(steering)),
          ...this.#restored(step, steering, ours),
        ];
      }),
    );
  }

  /** Prefixes that differ in host bits only share one route, which goes with the first of them that is deleted. */
  #restored(step: Step, removed: VppSteering, ours: ReadonlyMap<string, VppSteering>): Promise<void>[] {
    const prefix = maskedPrefix(removed.prefix);
    const twin = prefix === removed.prefix ? undefined : ours.get(idOf({ ...removed, prefix }));
    if (twin === undefined) return [];
    return [this.#call(step, 'sr_steering_add_del', steeringAddition(twin.family, twin.table, twin.prefix, twin.bsid))];
  }

  async removeTunnels(steps: readonly StepOf<'remove-tunnel'>[]): Promise<void> {
    if (steps.length === 0) return;
    const [policies, steerings] = await Promise.all([readPolicies(this.#vpp), readSteerings(this.#vpp)]);
    const present = new Set(policies.map(({ bsid }) => bsid));
    const steered = new Map(steerings.map((steering) => [steering.bsid, steering]));
    await Promise.all(
      steps.flatMap((step) => {
        const inUse = steered.get(step.bsid);
        if (inUse !== undefined) this.#attempts.fail(step, `${idOf(inUse)} is steered into it`);
        if (inUse !== undefined || !present.delete(step.bsid)) return [];
        return [this.#call(step, 'sr_policy_del', policyRemoval(step.bsid))];
      }),
    );
  }

  #addLocalSid(step: Step, localSid: LocalSid, interfaces: InterfaceNames): Promise<void> {
    return this.#attempts.make(step, () =>
      this.#vpp.call('sr_localsid_add_del', additionOf(localSid, this.#ownership.settings, interfaces)),
    );
  }

  #call(step: Step, ...[name, values]: Parameters<Vpp['call']>): Promise<void> {
    return this.#attempts.make(step, () => this.#vpp.call(name, values));
  }
}
