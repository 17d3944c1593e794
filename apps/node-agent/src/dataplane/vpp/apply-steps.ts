import { DataPlaneError, type Family, type LocalSid, type Step, type StepFailure } from '../port.js';
import { Attempts } from './attempts.js';
import { applyClassSources } from './class-sources.js';
import { tableOfColor } from './class-table-ids.js';
import { layClassTables } from './class-tables.js';
import { readInterfaceNames } from './interfaces.js';
import { partsOf } from './default-route.js';
import { idOfParts } from './steering-id.js';
import { additionOf, type InterfaceNames } from './local-sids.js';
import type { Ownership } from './ownership.js';
import { applyProbeSteps } from './probe-routes.js';
import { TunnelWriter, type BeforeSteering } from './put-tunnels.js';
import { Removals } from './removals.js';
import type { Vpp } from './vpp-link.js';
import { hasTable, readLocalSids, readSteerings, readTables, type VppTable } from './vpp-state.js';

type StepOf<K extends Step['kind']> = Extract<Step, { kind: K }>;

/** Carries steps out. Throws VppDisconnectedError when VPP goes away meanwhile. */
export async function applySteps(
  vpp: Vpp,
  steps: readonly Step[],
  ownership: Ownership,
  beforeSteering: BeforeSteering,
): Promise<readonly StepFailure[]> {
  const attempts = new Attempts();
  const removals = new Removals(vpp, ownership, attempts);
  const change = new Change(vpp, ownership, attempts, removals);
  const of = <K extends Step['kind']>(kind: K) => steps.filter((step): step is StepOf<K> => step.kind === kind);
  await change.putLocalSids(of('put-local-sid'));
  const { probe } = ownership.settings;
  if (probe !== null) {
    const probeSteps = [...of('put-probe-route'), ...of('remove-probe-route')];
    await applyProbeSteps(vpp, probeSteps, ownership, probe, attempts, removals);
  }
  await new TunnelWriter(vpp, ownership, attempts, removals, beforeSteering).put(of('put-tunnel'));
  // Sources come last and go first, so that none of their packets meets a class in which prefixes are missing.
  const sources = [of('put-class-source'), of('remove-class-source')] as const;
  await applyClassSources(vpp, ...sources, ownership.settings, attempts);
  await change.removeSteerings([...of('unsteer'), ...of('remove-stray')]);
  const unwanted = of('remove-tunnel');
  if (unwanted.length > 0) await removals.policies(new Map(unwanted.map((step) => [step.bsid, step])));
  await change.removeLocalSids(of('remove-local-sid'));
  return attempts.failures;
}

/** Steering into a table that does not exist kills VPP, and so does a dump of local SIDs that decapsulate into one. */
export function requireTables(tables: readonly VppTable[], id: number, purpose: string): void {
  requireTable(tables, 'ipv4', id, purpose);
  requireTable(tables, 'ipv6', id, purpose);
}

export function requireTable(tables: readonly VppTable[], family: Family, id: number, purpose: string): void {
  if (hasTable(tables, family, id)) return;
  const command = `${family === 'ipv4' ? 'ip' : 'ip6'} table add ${id}`;
  throw new DataPlaneError(`VPP has no ${family} table ${id}, ${purpose}; create it first: ${command}`);
}

class Change {
  readonly #vpp: Vpp;
  readonly #ownership: Ownership;
  readonly #attempts: Attempts;
  readonly #removals: Removals;

  constructor(vpp: Vpp, ownership: Ownership, attempts: Attempts, removals: Removals) {
    this.#vpp = vpp;
    this.#ownership = ownership;
    this.#attempts = attempts;
    this.#removals = removals;
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
          .map((before) => this.#removals.localSid(step, before, tables)),
        this.#addLocalSid(step, step.localSid, interfaces),
      ]),
    );
  }

  async removeLocalSids(steps: readonly StepOf<'remove-local-sid'>[]): Promise<void> {
    if (steps.length === 0) return;
    const [found, tables] = await Promise.all([readLocalSids(this.#vpp), readTables(this.#vpp)]);
    await Promise.all(
      steps.flatMap((step) =>
        found
          .filter(({ sid }) => sid === step.localSid.sid)
          .map((localSid) => this.#removals.localSid(step, localSid, tables)),
      ),
    );
  }

  async removeSteerings(steps: readonly (StepOf<'unsteer'> | StepOf<'remove-stray'>)[]): Promise<void> {
    if (steps.length === 0) return;
    const { settings } = this.#ownership;
    // A steering outlives its table, and deleting it then kills VPP.
    const colors = steps.flatMap((step) => (step.kind === 'unsteer' && step.color !== null ? [step.color] : []));
    await layClassTables(this.#vpp, settings, colors);
    const steerings = await readSteerings(this.#vpp, settings);
    const ours = new Map(
      steerings.filter(({ bsid }) => this.#ownership.ownsBsid(bsid)).map((steering) => [idOfParts(steering), steering]),
    );
    const going = new Map(
      steps.flatMap((step) => {
        const steering = ours.get(step.kind === 'unsteer' ? this.#idOf(step) : step.stray.id);
        return steering === undefined ? [] : [[steering, step]];
      }),
    );
    await this.#removals.steerings(going, steerings);
  }

  #idOf({ family, prefix, color }: StepOf<'unsteer'>): string {
    const { settings } = this.#ownership;
    return idOfParts({
      family,
      parts: partsOf(prefix),
      table: color === null ? settings.table : tableOfColor(settings, color),
    });
  }

  #addLocalSid(step: Step, localSid: LocalSid, interfaces: InterfaceNames): Promise<void> {
    return this.#attempts.make(step, () =>
      this.#vpp.call('sr_localsid_add_del', additionOf(localSid, this.#ownership.settings, interfaces)),
    );
  }
}
