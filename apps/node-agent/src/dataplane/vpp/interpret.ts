import type { ActualState, ActualTunnel, Family, LocalSid, Stray, TunnelAction } from '../port.js';
import { canonicalLists } from '../segment-lists.js';
import { classSourcesIn } from './class-sources.js';
import { colorOfTable } from './class-table-ids.js';
import { takenColors } from './class-tables.js';
import { isUndivided } from './default-route.js';
import { isDropList } from './drop-sid.js';
import { localSidFound, type InterfaceNames } from './local-sids.js';
import { objectionToForm, type Ownership } from './ownership.js';
import { probeRoutesIn } from './probe-routes.js';
import type { SourceSession } from './source-tables.js';
import { idOfParts } from './steering-id.js';
import { hasHostBits, type VppLocalSid, type VppPolicy, type VppSteering, type VppTable } from './vpp-state.js';

/** What was read of a VPP, whoever put it there. */
export interface VppState {
  readonly policies: readonly VppPolicy[];
  readonly steerings: readonly VppSteering[];
  readonly localSids: readonly VppLocalSid[];
  readonly tables: readonly VppTable[];
  readonly sourceSessions: readonly SourceSession[];
  readonly interfaces: InterfaceNames;
}

/** What of it is ours, as the reconciler sees it. */
export function interpret(state: VppState, ownership: Ownership): ActualState {
  const { settings } = ownership;
  const steered = new Map<string, VppSteering[]>();
  const unrouted = new Map<string, VppSteering[]>();
  const strays: Stray[] = [];
  const obstacles = new Map<string, string>();
  const taken = takenColors(state.tables, settings);
  const classObstacles = new Map(taken);
  for (const steering of state.steerings) {
    const { table, prefix, bsid } = steering;
    const color = colorOfTable(settings, table);
    if (!ownership.ownsBsid(bsid)) {
      if (table === settings.table) obstacles.set(prefix, `steering into BSID ${bsid}`);
      else if (color !== null) classObstacles.set(color, `steering of ${prefix} in table ${table} into BSID ${bsid}`);
    } else if (
      hasHostBits(prefix) ||
      isUndivided(steering) ||
      (table !== settings.table && (color === null || taken.has(color)))
    ) {
      strays.push(strayOf(steering));
    } else {
      const sorted = steering.routed ? steered : unrouted;
      const together = sorted.get(steering.bsid);
      if (together === undefined) sorted.set(steering.bsid, [steering]);
      else together.push(steering);
    }
  }
  const ours = state.policies.filter(({ bsid }) => ownership.ownsBsid(bsid));
  const tunnels = ours.flatMap((policy) => tunnelsOf(policy, steered.get(policy.bsid) ?? [], ownership));
  const split = (bsid: string, action: ActualTunnel['action'], steerings: readonly VppSteering[]) =>
    byFamily(bsid, action, steerings, ownership);
  const alive = new Set(ours.map(({ bsid }) => bsid));
  const dangling = [...steered].filter(([bsid]) => !alive.has(bsid));
  const lost = [...unrouted].flatMap(([bsid, steerings]) => split(bsid, UNROUTED, steerings));
  return {
    tunnels: [...tunnels, ...dangling.flatMap(([bsid, steerings]) => split(bsid, DANGLING, steerings)), ...lost],
    localSids: ownLocalSids(state, ownership),
    probeRoutes:
      settings.probe === null ? [] : probeRoutesIn(state.policies, state.steerings, ownership, settings.probe),
    classSources: classSourcesIn(state.sourceSessions, settings),
    strays,
    obstacles,
    classObstacles,
  };
}

const DANGLING = { kind: 'other', detail: 'the SR policy is gone and its steering is not' } as const;
const UNROUTED = { kind: 'other', detail: 'its table has no route for the steering' } as const;

function tunnelsOf(policy: VppPolicy, steerings: readonly VppSteering[], ownership: Ownership): ActualTunnel[] {
  const objection = objectionToForm(policy, ownership);
  const action =
    objection === null ? actionOf(policy, ownership.dropSid) : ({ kind: 'other', detail: objection } as const);
  if (steerings.length === 0) return [{ family: null, bsid: policy.bsid, action, steeredPrefixes: [] }];
  return byFamily(policy.bsid, action, steerings, ownership);
}

function byFamily(
  bsid: string,
  action: ActualTunnel['action'],
  steerings: readonly VppSteering[],
  { settings }: Ownership,
): ActualTunnel[] {
  return FAMILIES.flatMap((family) => {
    const steeredPrefixes = steerings
      .filter((steering) => steering.family === family)
      .map(({ prefix, table }) => ({ prefix, color: table === settings.table ? null : colorOfTable(settings, table) }));
    return steeredPrefixes.length === 0 ? [] : [{ family, bsid, action, steeredPrefixes }];
  });
}

const FAMILIES: readonly Family[] = ['ipv4', 'ipv6'];

function actionOf({ lists }: VppPolicy, dropSid: string): TunnelAction {
  if (isDropList(lists, dropSid)) return { kind: 'drop' };
  return { kind: 'encapsulate', segmentLists: canonicalLists(lists) };
}

function strayOf(steering: VppSteering): Stray {
  const id = idOfParts(steering);
  return { family: steering.family, id, description: `the steering of ${id} into ${steering.bsid}` };
}

function ownLocalSids({ localSids, interfaces }: VppState, ownership: Ownership): LocalSid[] {
  return localSids
    .filter(({ sid }) => ownership.ownsLocalSid(sid))
    .map((found) => localSidFound(found, ownership.settings, interfaces));
}
