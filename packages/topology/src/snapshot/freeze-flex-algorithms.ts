import type { TedLink, TedNode } from '../model/ted.js';
import { affinitySets } from './affinity-sets.js';
import { bytes, integers, reals, signedIntegers, startsOf } from './shared-arrays.js';
import { FLEX_METRICS, NodeFlag, type SnapshotData } from './snapshot-data.js';

/** Who takes part in which flexible algorithm, the definitions that routers advertise, and by what they choose links. */
export function freezeFlexAlgorithms(
  nodes: readonly TedNode[],
  links: readonly TedLink[],
  affinityNames: readonly string[],
  frozen: Pick<SnapshotData, 'nodeFlags' | 'nodeDomain'>,
) {
  const advertisers = advertisedDefinitions(nodes);
  const definitions = advertisers.map(({ definition }) => definition);
  const participation = nodes.map(({ flexAlgorithms }) =>
    flexAlgorithms.map(({ algorithm }) => algorithm).sort((a, b) => a - b),
  );
  const advertised = participation.some((algorithms) => algorithms.length > 0)
    ? links.map((link) => link.advertised ?? link)
    : [];
  const taking = {
    flexStart: integers(startsOf(participation)),
    flexAlgorithm: bytes(participation.flat()),
    definitionNode: integers(advertisers.map(({ node }) => node)),
    definitionAlgorithm: bytes(advertisers.map(({ algorithm }) => algorithm)),
  };
  return {
    ...taking,
    flexDefinition: definitionsInForce({ ...taking, ...frozen }),
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

/** The names that definitions of routers ask for. */
export function definitionAffinityNames(nodes: readonly TedNode[]): string[] {
  return advertisedDefinitions(nodes).flatMap(({ definition }) => [
    ...definition.excludeAny,
    ...definition.includeAny,
    ...definition.includeAll,
  ]);
}

/**
 * By participation of a node in an algorithm: of what the routers of its IGP domain that are up advertise for it, the
 * definition of the highest priority, and of several that of the highest router id (RFC 9350 section 5.3). A router of
 * unknown id comes after those of known ones, the highest node id first. -1 where nobody advertises any.
 */
export function definitionsInForce(
  data: Pick<
    SnapshotData,
    'nodeFlags' | 'nodeDomain' | 'flexStart' | 'flexAlgorithm' | 'definitionNode' | 'definitionAlgorithm'
  >,
): Int32Array<SharedArrayBuffer> {
  const { nodeFlags, nodeDomain, flexStart, flexAlgorithm, definitionNode, definitionAlgorithm } = data;
  const inForce = new Map<string, number>();
  const keyOf = (node: number, algorithm: number | undefined) => `${algorithm ?? ''} ${nodeDomain[node] ?? ''}`;
  definitionNode.forEach((node, definition) => {
    const key = keyOf(node, definitionAlgorithm[definition]);
    const isUp = ((nodeFlags[node] as number) & NodeFlag.Up) !== 0;
    if (isUp && !inForce.has(key)) inForce.set(key, definition);
  });
  const found: number[] = [];
  nodeDomain.forEach((_, node) => {
    for (const algorithm of flexAlgorithm.subarray(flexStart[node], flexStart[node + 1])) {
      found.push(inForce.get(keyOf(node, algorithm)) ?? -1);
    }
  });
  return signedIntegers(found);
}

/** Those that prevail over others first. */
function advertisedDefinitions(nodes: readonly TedNode[]) {
  return nodes
    .flatMap(({ kind, flexAlgorithms, ...router }, node) =>
      (kind === 'router' ? flexAlgorithms : []).flatMap(({ algorithm, definition }) =>
        definition === null ? [] : [{ node, id: router.id, number: routerNumber(router), algorithm, definition }],
      ),
    )
    .sort(
      (a, b) =>
        b.definition.priority - a.definition.priority ||
        b.number - a.number ||
        (a.id === b.id ? 0 : a.id < b.id ? 1 : -1),
    );
}

function routerNumber({ routerId }: Pick<TedNode, 'routerId'>): number {
  return routerId === null ? -1 : routerId.split('.').reduce((number, part) => number * 256 + Number(part), 0);
}
