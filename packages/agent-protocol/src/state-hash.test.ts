import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { emptyStateHash, policyHash, stateHashOf, toggledStateHash } from './state-hash.js';

const policies = fc.uniqueArray(
  fc.record({ policyId: fc.string({ minLength: 1 }), body: fc.uint8Array({ maxLength: 50 }) }),
  { selector: (policy) => policy.policyId, maxLength: 20 },
);

describe('state hash', () => {
  it('hashes a policy as documented', () => {
    const expected = createHash('sha256')
      .update(Buffer.concat([Buffer.from([0, 0, 0, 7]), Buffer.from('h1:1:h2'), Buffer.from([9, 8])]))
      .digest();
    expect(Buffer.from(policyHash('h1:1:h2', Uint8Array.of(9, 8)))).toEqual(expected);
    expect(Buffer.from(stateHashOf([{ policyId: 'h1:1:h2', body: Uint8Array.of(9, 8) }]))).toEqual(expected);
  });

  it('is zero for nothing', () => {
    expect(stateHashOf([])).toEqual(new Uint8Array(32));
  });

  it('does not depend on order', () => {
    fc.assert(
      fc.property(policies, (some) => {
        expect(stateHashOf([...some].reverse())).toEqual(stateHashOf(some));
      }),
    );
  });

  it('follows any sequence of additions, changes and removals', () => {
    const changes = fc.array(
      fc.record({ policyId: fc.constantFrom('a', 'b', 'c', 'd'), body: fc.option(fc.uint8Array({ maxLength: 8 })) }),
    );
    fc.assert(
      fc.property(changes, (sequence) => {
        const state = new Map<string, Uint8Array>();
        let hash = emptyStateHash();
        for (const { policyId, body } of sequence) {
          const before = state.get(policyId);
          if (before !== undefined) hash = toggledStateHash(hash, policyId, before);
          if (body === null) state.delete(policyId);
          else state.set(policyId, body);
          if (body !== null) hash = toggledStateHash(hash, policyId, body);
        }
        expect(hash).toEqual(stateHashOf(Array.from(state, ([policyId, body]) => ({ policyId, body }))));
      }),
    );
  });

  it('tells states apart that differ in one policy, or in where an id ends and a body begins', () => {
    const hash = (policyId: string, body: string): string =>
      Buffer.from(policyHash(policyId, Buffer.from(body))).toString('hex');
    expect(new Set([hash('ab', 'c'), hash('a', 'bc'), hash('abc', ''), hash('ab', 'd')]).size).toBe(4);
  });
});
