import { stateHashOf } from '@waymark/agent-protocol';

/** A reconciler whose data plane takes everything at once. */
export class InstantReconciler {
  #listener = () => undefined;

  setDesired({ epoch, generation, policies }, changed) {
    const named = changed === 'all' ? policies.keys() : changed;
    const outcomes = Array.from(named, (policyId) => {
      const policy = policies.get(policyId);
      if (policy === undefined) return { policyId, generation, outcome: 'removed', reason: '' };
      return { policyId, generation: policy.generation, outcome: 'simulated', reason: '' };
    });
    const readBackHash = stateHashOf(Array.from(policies, ([policyId, { body }]) => ({ policyId, body })));
    setImmediate(() => this.#listener({ epoch, generation, outcomes, readBackHash }));
  }

  onReport(listener) {
    this.#listener = listener;
  }
}
