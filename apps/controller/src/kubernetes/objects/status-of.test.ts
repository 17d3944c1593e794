import { describe, expect, it } from 'vitest';
import type { MeshView, PolicyState, SrPolicyView } from '../../model/sr-policy.js';
import { meshStatus, policyStatus } from './status-of.js';

const state = {
  ...{ status: 'up', compliance: 'constraints-met', activeCandidatePath: 1, candidatePaths: [], lists: [] },
  ...{
    bindingSids: [],
    cause: 'created',
    event: { revision: 7 },
    install: 'installed',
    installReason: null,
    generation: 3,
  },
} as unknown as PolicyState;

function found(changed: Partial<PolicyState> | null): Readonly<Record<string, string>> {
  const view = { id: 'a:1:b', state: changed && { ...state, ...changed } } as SrPolicyView;
  return Object.fromEntries(
    policyStatus(view).findings.map(({ type, status, reason }) => [type, `${status} ${reason}`]),
  );
}

describe('the conditions of a policy', () => {
  it.each<[Partial<PolicyState> | null, string, string | undefined]>([
    [null, 'Unknown Pending', undefined],
    [{}, 'True ConstraintsMet', 'True ReadBack'],
    [{ install: 'simulated' }, 'True ConstraintsMet', 'True Simulated'],
    [{ install: 'pending' }, 'True ConstraintsMet', 'Unknown Pending'],
    [{ install: 'failed', installReason: 'full' }, 'True ConstraintsMet', 'False Refused'],
    [{ compliance: 'unconstrained' }, 'True Unconstrained', 'True ReadBack'],
    [{ compliance: 'constraints-not-met' }, 'False ConstraintsNotMet', 'True ReadBack'],
    [{ status: 'fallback' }, 'False OnFallback', 'True ReadBack'],
    [{ status: 'down', install: 'none' }, 'False NoPath', 'False NothingToInstall'],
  ])('%j', (changed, computed, installed) => {
    expect(found(changed)).toEqual({
      Accepted: 'True Accepted',
      Computed: computed,
      ...(installed === undefined ? {} : { Installed: installed }),
    });
  });

  it('say why a candidate path is not valid', () => {
    const candidatePaths = [{ message: 'no path within 1 us' }] as unknown as PolicyState['candidatePaths'];
    const view = { id: 'a:1:b', state: { ...state, status: 'fallback', candidatePaths } } as unknown as SrPolicyView;
    expect(policyStatus(view).findings.find(({ type }) => type === 'Computed')?.message).toBe('no path within 1 us');
  });
});

describe('the conditions of a mesh', () => {
  const of = (policies: MeshView['policies']) =>
    meshStatus({ id: 'm', policies } as MeshView).findings.map(({ status, reason }) => `${status} ${reason}`);

  it.each([
    [{ total: 0, up: 0, fallback: 0, down: 0, installed: 0 }, ['False NoPairs']],
    [{ total: 2, up: 2, fallback: 0, down: 0, installed: 2 }, ['True AllUp', 'True AllReadBack']],
    [{ total: 2, up: 1, fallback: 0, down: 0, installed: 1 }, ['Unknown Pending', 'False NotAllReadBack']],
    [{ total: 2, up: 1, fallback: 1, down: 0, installed: 2 }, ['False NotAllUp', 'True AllReadBack']],
  ])('%j', (policies, expected) => {
    expect(of(policies)).toEqual(['True Accepted', ...expected]);
  });
});
