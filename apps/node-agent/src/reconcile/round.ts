import type { Prefix } from '@waymark/agent-protocol';
import {
  DataPlaneError,
  type ActualState,
  type ClassSource,
  type DataPlane,
  type LocalSid,
  type ProbeRoute,
  type Step,
  type StepFailure,
  type Tunnel,
} from '../dataplane/port.js';
import { sourceText, steeredText } from '../dataplane/steered-prefix.js';
import type { LivenessPort } from '../liveness/path-liveness.js';
import {
  indexActual,
  installedLists,
  isHeld,
  isProbeRouteHeld,
  isSameLocalSid,
  isSourceHeld,
  type ActualIndex,
} from './actual-index.js';
import { tunnelsOf, type WantedEntry } from './desired-entry.js';
import { effectiveTunnel } from './effective-tunnel.js';
import { judge, objectionToTunnel } from './judge.js';
import { allLists, judgesOf, neededProbeRoutes } from './judged-lists.js';
import { outsideBlock } from './outside-block.js';
import { planBreaks, planMakes } from './plan.js';

/** What one reconciliation found, did and found again. */
export type Round =
  | {
      readonly kind: 'done';
      /** As read back after the last change. */
      readonly actual: ActualIndex;
      readonly makes: readonly Step[];
      readonly breaks: readonly Step[];
      /** The tunnels that were to be held, by policy id: those wanted, with the lists that deliver. */
      readonly accepted: ReadonlyMap<string, readonly Tunnel[]>;
      /** The sources that service classes were to have, by class id. */
      readonly acceptedClasses: ReadonlyMap<string, readonly ClassSource[]>;
      /** Those needed, whether or not they could be put there. */
      readonly probeRoutes: readonly ProbeRoute[];
      /** By the id of an entry: null when it was read back and found equal, else why it is not there. */
      readonly results: ReadonlyMap<string, string | null>;
      /** Faults of what belongs to no policy: local SIDs, orphans. */
      readonly complaints: readonly string[];
    }
  | { readonly kind: 'fault'; readonly reason: string };

/** Makes the data plane what is wanted: make, read back, then break, read back. Never throws. */
export async function runRound(
  dataPlane: DataPlane,
  wanted: ReadonlyMap<string, WantedEntry>,
  localSids: readonly LocalSid[],
  liveness: LivenessPort | null,
  bsidBlock: Prefix | undefined,
): Promise<Round> {
  try {
    // Laying the ground never changes what tunnels there are, so both go at once; the first failure counts.
    const [found, complaints] = await Promise.all([dataPlane.read(), dataPlane.prepare()]);
    const round = await makeThenBreak(dataPlane, found, wanted, localSids, liveness, bsidBlock);
    return { ...round, complaints: [...complaints, ...round.complaints] };
  } catch (error) {
    return { kind: 'fault', reason: faultOf(error) };
  }
}

/**
 * What can be done while nothing is known of what is wanted: lays the ground and puts this node's own SIDs there, because others
 * send to them as soon as they hear that it has them. Removes nothing.
 *
 * @returns what is wrong; throws when the data plane does not answer
 */
export async function prepareNode(dataPlane: DataPlane, localSids: readonly LocalSid[]): Promise<readonly string[]> {
  if (localSids.length === 0) return dataPlane.prepare();
  const [found, complaints] = await Promise.all([dataPlane.read(), dataPlane.prepare()]);
  const before = indexActual(found);
  const nothing = { accepted: new Map(), acceptedClasses: new Map() };
  const makes = planMakes(nothing, ownable(localSids, before), [], before, dataPlane.capabilities);
  if (makes.length === 0) return [...complaints, ...complaintsOf(localSids, before, [])];
  const failures = await dataPlane.apply(makes);
  return [...complaints, ...complaintsOf(localSids, indexActual(await dataPlane.read()), failures)];
}

function ownable(localSids: readonly LocalSid[], { state }: ActualIndex): readonly LocalSid[] {
  return localSids.filter(({ sid }) => !state.obstacles.has(`${sid}/128`));
}

export function faultOf(error: unknown): string {
  if (error instanceof DataPlaneError) return error.message;
  return `the data plane failed unexpectedly: ${String(error)}`;
}

async function makeThenBreak(
  dataPlane: DataPlane,
  found: ActualState,
  wanted: ReadonlyMap<string, WantedEntry>,
  localSids: readonly LocalSid[],
  liveness: LivenessPort | null,
  bsidBlock: Prefix | undefined,
): Promise<Extract<Round, { kind: 'done' }>> {
  const { capabilities } = dataPlane;
  let actual = indexActual(found);
  const probeRoutes = neededProbeRoutes(wanted.values(), capabilities);
  liveness?.expect(probeRoutes);
  const effective = [...wanted.values()].map((entry) => effectiveEntry(entry, actual, dataPlane, liveness));
  const outside = outsideBlock(effective, bsidBlock);
  const own = effective.filter(({ policyId }) => !outside.has(policyId));
  const { accepted, acceptedClasses, refused } = judge(own, dataPlane, actual.state);
  const failures: StepFailure[] = [];
  const run = async (steps: readonly Step[]) => {
    if (steps.length === 0) return;
    failures.push(...(await dataPlane.apply(steps)));
    actual = indexActual(await dataPlane.read());
  };

  const routes = routesOf(accepted, wanted, probeRoutes);
  const makes = planMakes({ accepted, acceptedClasses }, ownable(localSids, actual), routes, actual, capabilities);
  await run(makes);
  const breaks = planBreaks(wanted.values(), localSids, probeRoutes, actual);
  await run(breaks);

  const results = new Map<string, string | null>([...refused, ...outside]);
  for (const [policyId, tunnels] of accepted) {
    const held = tunnels.every((tunnel) => isHeld(tunnel, actual, capabilities));
    results.set(policyId, held ? null : failureOf(policyId, failures));
  }
  for (const [classId, sources] of acceptedClasses) {
    const held = sources.every((source) => isSourceHeld(source, actual));
    results.set(classId, held ? null : failureOf(classId, failures));
  }
  const complaints = complaintsOf(localSids, actual, failures);
  return { kind: 'done', actual, makes, breaks, accepted, acceptedClasses, probeRoutes, results, complaints };
}

/** The entry with what its tunnels should be now that probes have told what they have. */
function effectiveEntry(
  entry: WantedEntry,
  actual: ActualIndex,
  dataPlane: DataPlane,
  liveness: LivenessPort | null,
): WantedEntry<Tunnel> {
  const { content } = entry;
  if (content.kind !== 'policy' || liveness === null) return { ...entry, content };
  const judges = judgesOf(content.tunnels, content.ways);
  const tunnels = content.tunnels.map((tunnel) =>
    effectiveTunnel(tunnel, {
      livenessOf: ({ sids }) => {
        const judge = judges(tunnel.family, sids);
        return judge === null ? 'unknown' : liveness.livenessOf(judge);
      },
      installed: installedLists(tunnel, actual),
      fits: (candidate) => objectionToTunnel(candidate, dataPlane) === null,
    }),
  );
  return { ...entry, content: { ...content, tunnels } };
}

/** The probe routes for lists of policies that are let in. */
function routesOf(
  accepted: ReadonlyMap<string, readonly Tunnel[]>,
  wanted: ReadonlyMap<string, WantedEntry>,
  probeRoutes: readonly ProbeRoute[],
): readonly ProbeRoute[] {
  const lists = new Set<string>();
  for (const policyId of accepted.keys()) {
    const entry = wanted.get(policyId);
    if (entry === undefined) continue;
    for (const tunnel of tunnelsOf(entry)) for (const sids of allLists(tunnel)) lists.add(sids.join());
  }
  return probeRoutes.filter(({ sids }) => lists.has(sids.join()));
}

function failureOf(entryId: string, failures: readonly StepFailure[]): string {
  const own = failures.find(
    ({ step }) =>
      (step.kind === 'put-tunnel' && step.policyId === entryId) ||
      (step.kind === 'put-class-source' && step.classId === entryId),
  );
  return own?.reason ?? 'read back, the data plane does not hold what was written';
}

function complaintsOf(localSids: readonly LocalSid[], actual: ActualIndex, failures: readonly StepFailure[]): string[] {
  const missing = localSids
    .filter((wanted) => {
      const found = actual.localSids.get(wanted.sid);
      return found === undefined || !isSameLocalSid(found, wanted);
    })
    .map(({ sid, behavior }) => {
      const obstacle = actual.state.obstacles.get(`${sid}/128`);
      const own = failures.find(({ step }) => step.kind === 'put-local-sid' && step.localSid.sid === sid);
      const reason = obstacle === undefined ? (own?.reason ?? 'it is not there after a write') : `held by ${obstacle}`;
      return `local SID ${sid} (${behavior}) is not installed: ${reason}`;
    });
  const unprobed = failures.flatMap(({ step, reason }) =>
    step.kind === 'put-probe-route' && !isProbeRouteHeld(step.route, actual)
      ? [`the probe route to ${step.route.address} is not installed: ${reason}`]
      : [],
  );
  const kept = failures
    .filter(({ step }) => isStillThere(step, actual))
    .map(({ step, reason }) => `${nameOf(step)} could not be removed: ${reason}`);
  return [...missing, ...unprobed, ...kept];
}

function isStillThere(step: Step, actual: ActualIndex): boolean {
  switch (step.kind) {
    case 'unsteer':
      return actual.byPrefix.has(steeredText(step));
    case 'remove-tunnel':
      return actual.byBsid.has(step.bsid);
    case 'remove-local-sid':
      return actual.localSids.has(step.localSid.sid);
    case 'remove-stray':
      return actual.state.strays.some(({ id }) => id === step.stray.id);
    case 'remove-probe-route':
      return actual.state.probeRoutes.some(({ address }) => address === step.route.address);
    case 'remove-class-source':
      return isSourceHeld(step.source, actual);
    case 'put-tunnel':
    case 'put-local-sid':
    case 'put-probe-route':
    case 'put-class-source':
      return false;
  }
}

function nameOf(step: Step): string {
  switch (step.kind) {
    case 'unsteer':
      return `the steering of ${steeredText(step)}`;
    case 'remove-tunnel':
    case 'put-tunnel':
      return `tunnel ${step.kind === 'put-tunnel' ? step.tunnel.bsid : step.bsid}`;
    case 'remove-local-sid':
    case 'put-local-sid':
      return `local SID ${step.localSid.sid}`;
    case 'remove-stray':
      return step.stray.description;
    case 'put-probe-route':
    case 'remove-probe-route':
      return `the probe route to ${step.route.address}`;
    case 'put-class-source':
    case 'remove-class-source':
      return `source ${sourceText(step.source)}`;
  }
}
