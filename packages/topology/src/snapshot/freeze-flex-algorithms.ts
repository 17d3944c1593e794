import type { FlexAlgorithmDefinition, TedLink, TedNode } from '../model/ted.js';
import { affinitySets } from './affinity-sets.js';
import { bytes, integers, reals, signedIntegers, startsOf } from './shared-arrays.js';
import { FLEX_METRICS } from './snapshot-data.js';

/** Who takes part in which flexible algorithm, the definitions in force, and by what routers choose links. */
export function freezeFlexAlgorithms(
  nodes: readonly TedNode[],
  links: readonly TedLink[],
  affinityNames: readonly string[],
) {
  const isInUse = nodes.some((node) => node.flexAlgorithms.length > 0);
  const inForce = definitionsInForce(nodes);
  const definitions = [...inForce.values()];
  const numberOf = new Map([...inForce.keys()].map((key, i) => [key, i]));
  const flexStart = [0];
  const taken: { readonly algorithm: number; readonly definition: number }[] = [];
  for (const { igpDomain, flexAlgorithms } of nodes) {
    for (const { algorithm } of [...flexAlgorithms].sort((a, b) => a.algorithm - b.algorithm)) {
      taken.push({ algorithm, definition: numberOf.get(keyOf(igpDomain, algorithm)) ?? -1 });
    }
    flexStart.push(taken.length);
  }
  const advertised = isInUse ? links.map((link) => link.advertised ?? link) : [];
  return {
    flexStart: integers(flexStart),
    flexAlgorithm: bytes(taken.map(({ algorithm }) => algorithm)),
    flexDefinition: signedIntegers(taken.map(({ definition }) => definition)),
    definitionMetric: bytes(definitions.map(({ metricType }) => FLEX_METRICS.indexOf(metricType))),
    definitionAffinities: affinitySets(
      affinityNames,
      definitions.flatMap(({ excludeAny, includeAny, includeAll }) => [excludeAny, includeAny, includeAll]),
    ),
    definitionSrlgStart: integers(startsOf(definitions.map(({ excludeSrlgs }) => excludeSrlgs))),
    definitionSrlgs: integers(definitions.flatMap(({ excludeSrlgs }) => [...excludeSrlgs])),
    advertisedTeMetric: reals(advertised.map(({ teMetric }) => teMetric ?? Number.NaN)),
    advertisedDelayMinUs: reals(advertised.map(({ delayMinUs }) => delayMinUs ?? Number.NaN)),
    advertisedAffinities: affinitySets(
      affinityNames,
      advertised.map(({ affinities }) => affinities),
    ),
    advertisedSrlgStart: integers(startsOf(advertised.map(({ srlgs }) => srlgs))),
    advertisedSrlgs: integers(advertised.flatMap(({ srlgs }) => [...srlgs])),
  };
}

/**
 * By IGP domain and algorithm, of the routers that are up: the definition of the highest priority, and of several that of
 * the highest router id (RFC 9350 section 5.3). A router of unknown id comes after those of known ones, the highest node
 * id first.
 */
function definitionsInForce(nodes: readonly TedNode[]): Map<string, FlexAlgorithmDefinition> {
  const advertisers = nodes
    .filter((node) => node.kind === 'router' && node.operationalState === 'up')
    .sort((a, b) => routerNumber(b) - routerNumber(a) || (a.id < b.id ? 1 : -1));
  const inForce = new Map<string, FlexAlgorithmDefinition>();
  for (const { igpDomain, flexAlgorithms } of advertisers) {
    for (const { algorithm, definition } of flexAlgorithms) {
      const key = keyOf(igpDomain, algorithm);
      if (definition !== null && definition.priority > (inForce.get(key)?.priority ?? -1)) inForce.set(key, definition);
    }
  }
  return inForce;
}

function routerNumber({ routerId }: TedNode): number {
  return routerId === null ? -1 : routerId.split('.').reduce((number, part) => number * 256 + Number(part), 0);
}

function keyOf(igpDomain: string, algorithm: number): string {
  return `${algorithm} ${igpDomain}`;
}
