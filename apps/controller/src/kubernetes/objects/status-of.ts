import type { Finding, PolicyMeshStatus, SrPolicyStatus } from '@waymark/kubernetes-resources';
import type { MeshView, PolicyState, SrPolicyView } from '../../model/sr-policy.js';

/** What a status says besides observedGeneration and conditions, and what its conditions find. */
export interface StatusParts<Status> {
  readonly findings: readonly Finding[];
  readonly fields: Omit<Status, 'observedGeneration' | 'conditions'>;
}

const accepted: Finding = { type: 'Accepted', status: 'True', reason: 'Accepted', message: 'The object is valid.' };

export function notAccepted(reason: string, message: string): readonly Finding[] {
  return [{ type: 'Accepted', status: 'False', reason, message }];
}

export const acceptedOnly: readonly Finding[] = [accepted];

export function policyStatus(view: SrPolicyView): StatusParts<SrPolicyStatus> {
  const { id, state } = view;
  if (state === null) {
    const message = 'It has not been computed yet.';
    return {
      findings: [accepted, { type: 'Computed', status: 'Unknown', reason: 'Pending', message }],
      fields: { policyId: id },
    };
  }
  const { activeCandidatePath } = state;
  return {
    findings: [accepted, computed(state), installed(state)],
    fields: {
      policyId: id,
      state: state.status,
      ...(activeCandidatePath === null ? {} : { activeCandidatePath }),
      lists: state.lists.map(({ weight, metrics, segmentLists }) => ({
        weight,
        metrics,
        segmentLists: segmentLists.flatMap(({ family, entries }) =>
          family === null ? [] : [{ family, sids: entries.map(({ address }) => address) }],
        ),
      })),
      bindingSids: [...state.bindingSids],
      cause: state.cause,
      revision: state.event.revision,
    },
  };
}

function computed({ status, compliance, candidatePaths, cause }: PolicyState): Finding {
  const type = 'Computed';
  if (status === 'up') {
    if (compliance === 'constraints-not-met')
      return { type, status: 'False', reason: 'ConstraintsNotMet', message: cause };
    const reason = compliance === 'unconstrained' ? 'Unconstrained' : 'ConstraintsMet';
    return { type, status: 'True', reason, message: cause };
  }
  const best = candidatePaths.find(({ message }) => message !== null)?.message;
  const message = best ?? cause;
  return { type, status: 'False', reason: status === 'fallback' ? 'OnFallback' : 'NoPath', message };
}

function installed({ install, installReason, generation }: PolicyState): Finding {
  const type = 'Installed';
  switch (install) {
    case 'installed':
      return { type, status: 'True', reason: 'ReadBack', message: 'The headend has read it back from its data plane.' };
    case 'simulated':
      return { type, status: 'True', reason: 'Simulated', message: 'A dry-run agent has taken it.' };
    case 'failed':
      return { type, status: 'False', reason: 'Refused', message: installReason ?? 'The data plane refused it.' };
    case 'none':
      return { type, status: 'False', reason: 'NothingToInstall', message: 'It uses no segment list.' };
    case 'pending': {
      const message = generation === null ? 'It is not published yet.' : `Generation ${generation} is on its way.`;
      return { type, status: 'Unknown', reason: 'Pending', message };
    }
  }
}

export function meshStatus({ id, policies }: MeshView): StatusParts<PolicyMeshStatus> {
  const { total, up, fallback, down, installed: read } = policies;
  if (total === 0) {
    const message = 'It selects fewer than two hosts that are in the topology.';
    return {
      findings: [accepted, { type: 'Computed', status: 'False', reason: 'NoPairs', message }],
      fields: { meshId: id, policies },
    };
  }
  const waiting = total - up - fallback - down;
  const counts = `${up} of ${total} policies have a valid path`;
  const isComputed = up === total;
  return {
    findings: [
      accepted,
      {
        type: 'Computed',
        status: isComputed ? 'True' : waiting > 0 ? 'Unknown' : 'False',
        reason: isComputed ? 'AllUp' : waiting > 0 ? 'Pending' : 'NotAllUp',
        message: `${counts}; ${fallback} are on the fallback, ${down} carry nothing.`,
      },
      {
        type: 'Installed',
        status: read === total ? 'True' : 'False',
        reason: read === total ? 'AllReadBack' : 'NotAllReadBack',
        message: `${read} of ${total} policies are installed.`,
      },
    ],
    fields: { meshId: id, policies },
  };
}
