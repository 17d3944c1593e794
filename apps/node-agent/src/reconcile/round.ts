import {
  DataPlaneError,
  type ActualState,
  type DataPlane,
  type LocalSid,
  type Step,
  type StepFailure,
} from '../dataplane/port.js';
import { indexActual, isHeld, isSameLocalSid, type ActualIndex } from './actual-index.js';
import type { WantedPolicy } from './desired-policy.js';
import { judge } from './judge.js';
import { planBreaks, planMakes } from './plan.js';

/** What one reconciliation found, did and found again. */
export type Round =
  | {
      readonly kind: 'done';
      /** As read back after the last change. */
      readonly actual: ActualIndex;
      readonly makes: readonly Step[];
      readonly breaks: readonly Step[];
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
): Promise<Round> {
  try {
    // Laying the ground never changes what tunnels there are, so both go at once; the first failure counts.
    const [found] = await Promise.all([dataPlane.read(), dataPlane.prepare()]);
    return await makeThenBreak(dataPlane, found, wanted, localSids);
  } catch (error) {
    if (error instanceof DataPlaneError) return { kind: 'fault', reason: error.message };
    return { kind: 'fault', reason: `the data plane failed unexpectedly: ${String(error)}` };
  }
}

async function makeThenBreak(
  dataPlane: DataPlane,
  found: ActualState,
  wanted: ReadonlyMap<string, WantedPolicy>,
  localSids: readonly LocalSid[],
): Promise<Round> {
  const { capabilities } = dataPlane;
  let actual = indexActual(found);
  const { accepted, refused } = judge(wanted.values(), dataPlane, actual.state.obstacles);
  const failures: StepFailure[] = [];
  const run = async (steps: readonly Step[]) => {
    if (steps.length === 0) return;
    failures.push(...(await dataPlane.apply(steps)));
    actual = indexActual(await dataPlane.read());
  };

  const ownable = localSids.filter(({ sid }) => !actual.state.obstacles.has(`${sid}/128`));
  const makes = planMakes(accepted, ownable, actual, capabilities);
  await run(makes);
  const breaks = planBreaks(wanted.values(), localSids, actual);
  await run(breaks);

  const results = new Map<string, string | null>(refused);
  for (const [policyId, tunnels] of accepted) {
    const held = tunnels.every((tunnel) => isHeld(tunnel, actual, capabilities));
    results.set(policyId, held ? null : failureOf(policyId, failures));
  }
  return { kind: 'done', actual, makes, breaks, results, complaints: complaintsOf(localSids, actual, failures) };
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
  const kept = failures
    .filter(({ step }) => isStillThere(step, actual))
    .map(({ step, reason }) => `${nameOf(step)} could not be removed: ${reason}`);
  return [...missing, ...kept];
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
