import fc from 'fast-check';
import type { LinkChange, Overlay } from '../model/overlay.js';
import type { Ted } from '../model/ted.js';
import { AFFINITIES, SITES } from './arbitrary-ted.js';

/** Failures and changed attributes of a TED, few at a time, ids that it lacks among them. */
export function arbitraryOverlay(ted: Ted): fc.Arbitrary<Omit<Overlay, 'demands'>> {
  const links = [...ted.links.map(({ id }) => id), 'no:link'];
  const nodes = [...ted.nodes.map(({ id }) => id), 'nobody'];
  const metric = fc.integer({ min: 0, max: 3 });
  const change: fc.Arbitrary<LinkChange> = fc.record(
    {
      link: fc.constantFrom(...links),
      igpMetric: metric,
      teMetric: metric,
      delayUs: metric,
      delayVariationUs: metric,
      lossPpm: fc.constantFrom(0, 1, 100_000, 1_000_000),
      reservableBandwidthBps: fc.constantFrom(0, 10, 20),
      affinities: fc.subarray([...AFFINITIES, 'new']),
      srlgs: fc.subarray([1, 2, 3]),
    },
    { requiredKeys: ['link'] },
  );
  const few = <T>(values: readonly T[]) => fc.subarray([...values], { maxLength: Math.min(2, values.length) });
  return fc.record(
    {
      down: fc.record(
        { links: few(links), nodes: few(nodes), srlgs: few([1, 2, 3]), sites: few(SITES) },
        { requiredKeys: [] },
      ),
      links: fc.uniqueArray(change, { selector: ({ link }) => link, maxLength: 3 }),
    },
    { requiredKeys: [] },
  );
}
