import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PathRequest } from '../model/path-request.js';
import { prove } from '../proof/prove.js';
import { freezeSnapshot } from '../snapshot/freeze-snapshot.js';
import { buildTed } from '../testing/build-ted.js';
import { computePaths } from './compute-paths.js';
import { mostLossUnits, ppmOfLoss } from './loss-units.js';

// a - r0 - r1 - … - h2, a chain of links with the losses given
function chain(losses: readonly (number | null)[]) {
  const routers = losses.map((_, i) => `r${i}`);
  const links = losses.map((lossPpm, i) => ({
    between: `${i === 0 ? 'a' : `r${i - 1}`}-${i === losses.length - 1 ? 'h2' : `r${i}`}`,
    lossPpm,
  }));
  return freezeSnapshot(buildTed(['a', ...routers.slice(0, -1), 'h2'], links));
}

function within(losses: readonly (number | null)[], max: number) {
  const constraints: PathRequest['constraints'] = { bounds: [{ metric: 'loss', max }] };
  const snapshot = chain(losses);
  const answer = computePaths(snapshot, { source: 'a', destination: 'h2', metric: 'igp', constraints });
  const free = computePaths(snapshot, { source: 'a', destination: 'h2', metric: 'igp', constraints: {} });
  const lists = free.status === 'computed' ? (free.paths[0]?.segmentLists ?? []) : [];
  const [list] = lists;
  const sids = list?.segments.map(({ sid }) => sid) ?? [];
  const proof = prove(snapshot, sids, { headend: 'a', destination: 'h2', constraints });
  return { answer, proof };
}

describe('loss', () => {
  it('multiplies over links and is rounded up', () => {
    const { answer } = within([100_000, 100_000, 0], 190_000);
    expect(answer).toMatchObject({ status: 'computed', paths: [{ metrics: { lossPpm: 190_000 } }] });
    expect(within([1, 1, 0], 1).answer).toMatchObject({ reason: 'metric-bound-exceeded', nearestFeasible: 2 });
  });

  it('of 100 % or unknown makes a link unusable where loss counts, and only there', () => {
    for (const loss of [1_000_000, null]) {
      const { answer, proof } = within([0, loss], 1_000_000);
      expect(answer).toMatchObject({ status: 'no-path', reason: 'path-not-found', blockingLinks: ['r0:h2'] });
      expect(proof.violation?.kind).toBe('metric-bound-exceeded');
      const plain = computePaths(chain([0, loss]), { source: 'a', destination: 'h2', metric: 'igp', constraints: {} });
      expect(plain.status).toBe('computed');
    }
  });

  it('is bounded alike by search and proof, up to 0.001 ppm above the bound', () => {
    // 999 and 1000 ppm make 1998.001: the very edge, whichever side rounding puts it on.
    const edge = within([999, 1000], 1998);
    expect(edge.answer.status === 'computed').toBe(edge.proof.ok);
    // 9 and 100 ppm make 108.9991, 1 and 500 make 500.9995.
    expect(within([9, 100], 108).answer.status).toBe('no-path');
    expect(within([1, 500], 501).answer.status).toBe('computed');
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.integer({ min: 0, max: 999_999 }), fc.integer({ min: 0, max: 3000 })), {
          minLength: 1,
          maxLength: 4,
        }),
        fc.integer({ min: -2, max: 2 }),
        (losses, off) => {
          const arriving = losses.reduce((share, loss) => share * (1 - loss / 1e6), 1);
          const max = Math.max(0, Math.round((1 - arriving) * 1e6) + off);
          const { answer, proof } = within(losses, max);
          expect(answer.status === 'computed').toBe(proof.ok);
          const excess = (1 - arriving) * 1e6 - max;
          if (Math.abs(excess - 1e-3) > 1e-4) expect(proof.ok).toBe(excess < 1e-3);
        },
      ),
      { numRuns: 300, endOnFailure: true },
    );
  });

  it('of a bound in units is the largest that shows as no more', () => {
    for (const max of [0, 1, 2, 999, 100_000, 500_000, 999_000]) {
      expect([ppmOfLoss(mostLossUnits(max)), ppmOfLoss(mostLossUnits(max) + 1)]).toEqual([max, max + 1]);
    }
    expect(ppmOfLoss(mostLossUnits(1_000_000))).toBe(1_000_000);
  });
});
