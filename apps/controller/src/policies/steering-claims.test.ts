import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { assignPrefixes, type Claim } from './steering-claims.js';

const wants = (policyId: string, color: number, ...prefixes: string[]) => ({ policyId, color, prefixes });
const holds = (policyId: string, prefix: string, explicit = false): Claim => ({ policyId, prefix, explicit });

describe('default steering', () => {
  it('gives a free prefix to the lowest color, then to the smallest id', () => {
    const assigned = assignPrefixes([], [wants('z', 2, 'p'), wants('y', 1, 'p'), wants('x', 1, 'p')]);
    expect(assigned).toEqual(new Map([['p', 'x']]));
  });

  it('leaves a prefix to who carries it', () => {
    expect(assignPrefixes([holds('z', 'p')], [wants('a', 1, 'p'), wants('z', 9, 'p')])).toEqual(new Map([['p', 'z']]));
  });

  it('takes nothing that is claimed explicitly', () => {
    expect(assignPrefixes([holds('e', 'p', true)], [wants('a', 1, 'p', 'q')])).toEqual(new Map([['q', 'a']]));
  });

  it('passes on what its holder no longer wants', () => {
    expect(assignPrefixes([holds('z', 'p')], [wants('a', 5, 'p'), wants('z', 1, 'q')])).toEqual(
      new Map([
        ['q', 'z'],
        ['p', 'a'],
      ]),
    );
  });

  it('assigns every wanted prefix, once, to somebody who wants it, and is stable', () => {
    const prefix = fc.constantFrom('p', 'q', 'r', 's');
    const policy = fc.constantFrom('a', 'b', 'c', 'd');
    const claims = fc.uniqueArray(fc.record({ policyId: policy, prefix, explicit: fc.boolean() }), {
      selector: (claim) => claim.prefix,
    });
    const wanting = fc.uniqueArray(
      fc.record({ policyId: policy, color: fc.integer({ min: 1, max: 3 }), prefixes: fc.uniqueArray(prefix) }),
      { selector: ({ policyId }) => policyId },
    );
    fc.assert(
      fc.property(claims, wanting, (present, wanted) => {
        const assigned = assignPrefixes(present, wanted);
        const explicit = new Set(present.filter((claim) => claim.explicit).map((claim) => claim.prefix));
        const all = new Set(wanted.flatMap(({ prefixes }) => prefixes).filter((name) => !explicit.has(name)));
        expect(new Set(assigned.keys())).toEqual(all);
        for (const [name, id] of assigned) {
          expect(wanted.find(({ policyId }) => policyId === id)?.prefixes).toContain(name);
        }
        const after = [
          ...present.filter((claim) => claim.explicit),
          ...[...assigned].map(([name, id]) => holds(id, name)),
        ];
        expect(assignPrefixes(after, [...wanted].reverse())).toEqual(assigned);
      }),
    );
  });
});
