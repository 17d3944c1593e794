import {
  parseIpv6,
  parsePrefix,
  type FlexAlgorithm,
  type Locator,
  type Sid,
  type SidStructure,
} from '@waymark/topology';
import { locatorFields, nodeFields, sidFields, type flexAlgorithmFields } from './fields.js';
import { definitionDefaults, NodeLocators, structureWithin, usualStructure } from './implied-values.js';
import type { PlacedNode, SidPlace } from './placed.js';
import type { ProblemList } from './problem-list.js';
import { readObject, type ValuesOf } from './readers.js';
import type { PlainValue } from './source-text.js';

/** One entry of `nodes`, defaults of locators and SIDs filled in; undefined when even its id could not be read. */
export function readNode(value: PlainValue, pointer: string, problems: ProblemList): PlacedNode | undefined {
  const before = problems.count;
  const read = readObject(value, pointer, problems, nodeFields, ['id']);
  if (read?.id === undefined) return undefined;
  const { id, kind = 'router', flexAlgorithms, locators, sids, ...attributes } = read;
  if ((read.latitude === undefined) !== (read.longitude === undefined)) {
    problems.report(pointer, `${id}: latitude and longitude go together`);
  }
  if (problems.count > before) return { value: { id, kind }, pointer, sound: false, sidPlaces: [] };

  const complete = locators?.flatMap((locator) => locatorFrom(locator));
  const own = new NodeLocators(complete ?? []);
  const sidPlaces = (sids ?? []).map(({ sid = '::' }): SidPlace => {
    const address = parseIpv6(sid);
    return { address, locator: own.covering(address) };
  });
  return {
    pointer,
    sound: true,
    sidPlaces,
    value: {
      id,
      kind,
      ...attributes,
      ...(flexAlgorithms && { flexAlgorithms: flexAlgorithms.flatMap(flexAlgorithmFrom).sort(byAlgorithm) }),
      ...(complete && { locators: complete }),
      ...(sids && { sids: sids.flatMap((sid, i) => sidFrom(sid, sidPlaces[i])) }),
    },
  };
}

/** Empty when a required field is missing, which is reported already. */
function flexAlgorithmFrom({ algorithm, definition }: ValuesOf<typeof flexAlgorithmFields>): FlexAlgorithm[] {
  if (algorithm === undefined) return [];
  return [{ algorithm, definition: definition === undefined ? null : { ...definitionDefaults, ...definition } }];
}

function byAlgorithm(a: FlexAlgorithm, b: FlexAlgorithm): number {
  return a.algorithm - b.algorithm;
}

/** Empty when a required field is missing, which is reported already. */
function locatorFrom(values: ValuesOf<typeof locatorFields>): Locator[] {
  const { prefix, algorithm = 0, metric = 0, anycast = false, scope = 'igp', origin = 'discovered' } = values;
  if (prefix === undefined) return [];
  const structure = completeStructure(values.structure) ?? usualStructure(parsePrefix(prefix).length);
  return [{ prefix, algorithm, metric, anycast, scope, structure, origin }];
}

function sidFrom(values: ValuesOf<typeof sidFields>, place: SidPlace | undefined): Sid[] {
  const { sid, behavior, flavors = [], linkId = null, origin = 'discovered' } = values;
  if (sid === undefined || behavior === undefined || place === undefined) return [];
  const implied = (): SidStructure | null => structureWithin(place.address, place.locator, { behavior, flavors });
  const structure = values.structure === 'opaque' ? null : (completeStructure(values.structure) ?? implied());
  return [
    {
      sid,
      behavior,
      flavors,
      algorithm: values.algorithm ?? place.locator?.algorithm ?? 0,
      protected: values.protected ?? false,
      linkId,
      structure,
      origin,
    },
  ];
}

function completeStructure(values: Partial<SidStructure> | 'opaque' | undefined): SidStructure | undefined {
  if (values === undefined || values === 'opaque') return undefined;
  const { blockBits = 0, nodeBits = 0, functionBits = 0, argumentBits = 0 } = values;
  return { blockBits, nodeBits, functionBits, argumentBits };
}
