import type { Prefix } from '@waymark/agent-protocol';
import {
  DataPlaneError,
  type ActualState,
  type DataPlane,
  type LocalSid,
  type ProbeRoute,
  type Step,
  type StepFailure,
  type Tunnel,
} from '../dataplane/port.js';
import type { LivenessPort } from '../liveness/path-liveness.js';
import {
  indexActual,
  installedLists,
  isHeld,
  isProbeRouteHeld,
  isSameLocalSid,
  type ActualIndex,
} from './actual-index.js';
import type { WantedPolicy } from './desired-policy.js';
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
      /** Those needed, whether or not they could be put there. */
      readonly probeRoutes: readonly ProbeRoute[];
      /** By policy id: null when it was read back and found equal, else why it is not there. */
      readonly results: ReadonlyMap<string, string | null>;
      /** Faults of what belongs to no policy: local SIDs, orphans. */
      readonly complaints: readonly string[];
    }
  | { readonly kind: 'fault'; readonly reason: string };

/** Makes the data plane what is wanted: make, read back, then break, read back. Never throws. */
export async function runRound(
  dataPlane: DataPlane,
  wanted: ReadonlyMap<string, WantedPolicy>,
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

export function faultOf(error: unknown): string {
  if (error instanceof DataPlaneError) return error.message;
  return `the data plane failed unexpectedly: ${String(error)}`;
}

async function makeThenBreak(
  dataPlane: DataPlane,
  found: ActualState,
  wanted: ReadonlyMap<string, WantedPolicy>,
  localSids: readonly LocalSid[],
  liveness: LivenessPort | null,
  bsidBlock: Prefix | undefined,
): Promise<Extract<Round, { kind: 'done' }>> {
  const { capabilities } = dataPlane;
  let actual = indexActual(found);
  const probeRoutes = neededProbeRoutes(wanted.values(), capabilities);
  liveness?.expect(probeRoutes);
  const effective = [...wanted.values()].map((policy) => effectivePolicy(policy, actual, dataPlane, liveness));
  const outside = outsideBlock(effective, bsidBlock);
  const own = effective.filter(({ policyId }) => !outside.has(policyId));
  const { accepted, refused } = judge(own, dataPlane, actual.state.obstacles);
  const failures: StepFailure[] = [];
  const run = async (steps: readonly Step[]) => {
    if (steps.length === 0) return;
    failures.push(...(await dataPlane.apply(steps)));
    actual = indexActual(await dataPlane.read());
  };

  const ownable = localSids.filter(({ sid }) => !actual.state.obstacles.has(`${sid}/128`));
  const makes = planMakes(accepted, ownable, routesOf(accepted, wanted, probeRoutes), actual, capabilities);
  await run(makes);
  const breaks = planBreaks(wanted.values(), localSids, probeRoutes, actual);
  await run(breaks);

  const results = new Map<string, string | null>([...refused, ...outside]);
  for (const [policyId, tunnels] of accepted) {
    const held = tunnels.every((tunnel) => isHeld(tunnel, actual, capabilities));
    results.set(policyId, held ? null : failureOf(policyId, failures));
  }
  const complaints = complaintsOf(localSids, actual, failures);
  return { kind: 'done', actual, makes, breaks, accepted, probeRoutes, results, complaints };
}

/** The policy with what its tunnels should be now that probes have told what they have. */
function effectivePolicy(
  policy: WantedPolicy,
  actual: ActualIndex,
  dataPlane: DataPlane,
  liveness: LivenessPort | null,
): WantedPolicy<Tunnel> {
  const { content } = policy;
  if (content.kind === 'unreadable' || liveness === null) return { ...policy, content };
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
  return { ...policy, content: { ...content, tunnels } };
}

/** The probe routes for lists of policies that are let in. */
function routesOf(
  accepted: ReadonlyMap<string, readonly Tunnel[]>,
  wanted: ReadonlyMap<string, WantedPolicy>,
  probeRoutes: readonly ProbeRoute[],
): readonly ProbeRoute[] {
  const lists = new Set<string>();
  for (const policyId of accepted.keys()) {
    const content = wanted.get(policyId)?.content;
    if (content?.kind !== 'readable') continue;
    for (const tunnel of content.tunnels) for (const sids of allLists(tunnel)) lists.add(sids.join());
  }
  return probeRoutes.filter(({ sids }) => lists.has(sids.join()));
}

function failureOf(policyId: string, failures: readonly StepFailure[]): string {
  const own = failures.find(({ step }) => step.kind === 'put-tunnel' && step.policyId === policyId);
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
      return actual.byPrefix.has(step.prefix);
    case 'remove-tunnel':
      return actual.byBsid.has(step.bsid);
    case 'remove-local-sid':
      return actual.localSids.has(step.localSid.sid);
    case 'remove-stray':
      return actual.state.strays.some(({ id }) => id === step.stray.id);
    case 'remove-probe-route':
      return actual.state.probeRoutes.some(({ address }) => address === step.route.address);
    case 'put-tunnel':
    case 'put-local-sid':
    case 'put-probe-route':
      return false;
  }
}

function nameOf(step: Step): string {
  switch (step.kind) {
    case 'unsteer':
      return `the steering of ${step.prefix}`;
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
  }
}
