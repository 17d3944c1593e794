import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { computePaths } from '../engine/compute-paths.js';
import { overlaidTed } from '../model/overlay.js';
import { arbitraryOverlay } from '../testing/arbitrary-overlay.js';
import { arbitraryRequest } from '../testing/arbitrary-request.js';
import { arbitraryTed } from '../testing/arbitrary-ted.js';
import { freezeSnapshot } from './freeze-snapshot.js';
import { overlaidSnapshot } from './overlay.js';

const teds = arbitraryTed({ maxRouters: 5, maxLinks: 8, cSids: true });

describe('a snapshot under an overlay', () => {
  it('is what freezing the TED changed that way gives, and leaves the base as it was', () => {
    const cases = teds.chain((ted) => fc.record({ ted: fc.constant(ted), overlay: arbitraryOverlay(ted) }));
    fc.assert(
      fc.property(cases, ({ ted, overlay }) => {
        const base = freezeSnapshot(ted);
        const frozen = freezeSnapshot(overlaidTed(ted, overlay));
        expect(overlaidSnapshot(base, overlay).data).toEqual(frozen.data);
        expect(base.data).toEqual(freezeSnapshot(ted).data);
      }),
      { numRuns: 500 },
    );
  });

  it('answers what the changed TED answers, after the base has been asked', () => {
    const cases = teds.chain((ted) =>
      fc.record({
        ted: fc.constant(ted),
        overlay: arbitraryOverlay(ted),
        request: arbitraryRequest(ted, { bounds: true }),
      }),
    );
    fc.assert(
      fc.property(cases, ({ ted, overlay, request }) => {
        const base = freezeSnapshot(ted);
        const before = computePaths(base, request);
        const hypothetical = computePaths(overlaidSnapshot(base, overlay), request);
        expect(hypothetical).toEqual(computePaths(freezeSnapshot(overlaidTed(ted, overlay)), request));
        expect(computePaths(base, request)).toEqual(before);
      }),
      { numRuns: 200 },
    );
  });
});
