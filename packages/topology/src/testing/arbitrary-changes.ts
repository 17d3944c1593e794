import fc from 'fast-check';
import type { AdvertisedAttributes, Ted, TedLink, TedNode } from '../model/ted.js';
import { AFFINITIES } from './arbitrary-ted.js';

/** One change of one node or one direction of a link; both are numbered modulo how many there are. */
export type TedChange =
  | { readonly node: number; readonly values: Partial<Pick<TedNode, 'operationalState' | 'adminState'>> }
  | { readonly link: number; readonly values: Partial<TedLink> };

const value = fc.integer({ min: 0, max: 3 });
const unknown = fc.option(value, { freq: 5 });
const operationalState = fc.constantFrom('up', 'down', 'up');
const adminState = fc.constantFrom('up', 'up', 'drained', 'down');
const affinities = fc.subarray([...AFFINITIES, 'new']);
const srlgs = fc.subarray([1, 2, 3]);
const advertised = fc.option(
  fc.record<AdvertisedAttributes>({ teMetric: unknown, delayMinUs: unknown, affinities, srlgs }),
);

const linkValues: fc.Arbitrary<Partial<TedLink>> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ operationalState }) },
  { weight: 3, arbitrary: fc.record({ igpMetric: value }) },
  fc.record({ adminState }),
  fc.record({ teMetric: unknown }),
  fc.record({ delayUs: unknown, delayMinUs: unknown, delayVariationUs: unknown }),
  fc.record({ lossPpm: fc.constantFrom(null, 0, 1, 100_000) }),
  fc.record({ bandwidthBps: fc.constantFrom(null, 10, 30), reservableBandwidthBps: fc.constantFrom(null, 5, 20) }),
  fc.record({ mtuBytes: fc.constantFrom(1340, 9000) }),
  fc.record({ affinities }),
  fc.record({ srlgs }),
  fc.record({ advertised }),
);

export const arbitraryChange: fc.Arbitrary<TedChange> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ link: fc.nat(), values: linkValues }) },
  {
    weight: 1,
    arbitrary: fc.record({
      node: fc.nat(),
      values: fc.oneof(fc.record({ operationalState }), fc.record({ adminState })),
    }),
  },
);

/** The next revision; what did not change stays the same object. */
export function withChanges(ted: Ted, changes: readonly TedChange[]): Ted {
  const nodes = [...ted.nodes];
  const links = [...ted.links];
  for (const change of changes) {
    if ('node' in change) replace(nodes, change.node, change.values);
    else replace(links, change.link, change.values);
  }
  return { revision: ted.revision + 1, nodes, links };
}

function replace<T>(items: T[], number: number, values: Partial<T>): void {
  if (items.length === 0) return;
  const i = number % items.length;
  items[i] = { ...(items[i] as T), ...values };
}
