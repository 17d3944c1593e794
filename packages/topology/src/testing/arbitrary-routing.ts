import fc from 'fast-check';
import { formatIpv6, parseIpv6 } from '../model/address.js';
import type { FlexAlgorithmDefinition, Locator, Sid, Ted, TedNode } from '../model/ted.js';

const ALGORITHMS = [128, 129];
const MOST_NODES = 13;

/** What routing a network has besides algorithm 0 and prefixes of one node each. */
export interface RoutingPlan {
  readonly nodes: readonly {
    readonly takesPart: readonly number[];
    readonly definitions: readonly (FlexAlgorithmDefinition | null)[];
    /** Has its End.X SIDs also in the algorithms in which it takes part. */
    readonly hasAdjacencySids: boolean;
    readonly routerNumber: number;
    /** A host's only locator is of this algorithm. */
    readonly hostAlgorithm: number;
    readonly member: 'none' | 'with SID' | 'without SID' | 'alone';
    readonly metric: number;
    readonly isOdd: boolean;
  }[];
  readonly anycastAlgorithm: number;
  readonly isNextCSid: boolean;
  readonly hasAnycastHosts: boolean;
}

export function arbitraryRouting(affinities: readonly string[], cSids: boolean): fc.Arbitrary<RoutingPlan> {
  const rarely = fc.integer({ min: 0, max: 29 }).map((n) => n === 0);
  const few = <T>(values: readonly T[]) =>
    fc.oneof({ weight: 4, arbitrary: fc.constant<T[]>([]) }, fc.subarray([...values], { maxLength: 2 }));
  const definition = fc.record<FlexAlgorithmDefinition>({
    metricType: fc.constantFrom('igp', 'min-delay', 'te', 'te'),
    priority: fc.integer({ min: 0, max: 2 }),
    excludeAny: few(affinities),
    includeAny: few([...affinities, 'on no link']),
    includeAll: few(affinities),
    excludeSrlgs: few([1, 2]),
  });
  const node = fc.record({
    takesPart: fc.oneof({ weight: 3, arbitrary: fc.constant(ALGORITHMS) }, fc.subarray(ALGORITHMS)),
    definitions: fc.tuple(fc.option(definition), fc.option(definition)),
    hasAdjacencySids: fc.boolean(),
    routerNumber: fc.nat({ max: 255 }),
    hostAlgorithm: fc.constantFrom(0, 0, 128),
    member: fc.oneof(
      { weight: 6, arbitrary: fc.constant('none' as const) },
      { weight: 5, arbitrary: fc.constantFrom('with SID' as const, 'with SID' as const, 'alone' as const) },
      fc.constant('without SID' as const),
    ),
    metric: fc.constantFrom(0, 0, 0, 0, 1, 3),
    isOdd: rarely,
  });
  return fc.record({
    nodes: fc.uniqueArray(node, {
      minLength: MOST_NODES,
      maxLength: MOST_NODES,
      selector: (entry) => entry.routerNumber,
    }),
    anycastAlgorithm: fc.constantFrom(0, 0, 128),
    isNextCSid: cSids ? fc.boolean() : fc.constant(false),
    hasAnycastHosts: fc.integer({ min: 0, max: 5 }).map((n) => n === 0),
  });
}

/** The network with that routing. Each algorithm has node numbers of its own in the same block. */
export function withRouting(ted: Ted, plan: RoutingPlan): Ted {
  const anycastHost = plan.hasAnycastHosts ? ted.nodes.find(({ id }) => id === 'h1') : undefined;
  const nodes = ted.nodes.map((node, i): TedNode => {
    const own = plan.nodes[i];
    if (own === undefined) return node;
    if (node.kind === 'host') return withHostRouting(node, own, anycastHost);
    const anycast = own.member === 'none' ? null : anycastOf(node, own, plan);
    const isUnicast = own.member !== 'alone';
    const flexible = own.takesPart.map((algorithm) => inAlgorithm(node, algorithm, own.hasAdjacencySids));
    return {
      ...node,
      routerId: `10.0.0.${String(own.routerNumber)}`,
      flexAlgorithms: own.takesPart.map((algorithm) => ({
        algorithm,
        definition: own.definitions[ALGORITHMS.indexOf(algorithm)] ?? null,
      })),
      locators: [
        ...(isUnicast ? node.locators : []),
        ...flexible.flatMap(({ locators }) => locators),
        ...(anycast === null ? [] : [anycast.locator]),
      ],
      sids: [
        ...node.sids.filter((sid) => isUnicast || sid.behavior === 'End.X'),
        ...flexible.flatMap(({ sids }) => sids),
        ...(anycast?.sids ?? []),
      ],
    };
  });
  return { ...ted, nodes };
}

type NodePlan = RoutingPlan['nodes'][number];

/** A node's locators and SIDs once more, with another node number. */
function inAlgorithm(node: TedNode, algorithm: number, withAdjacencies: boolean) {
  const move = (text: string, blockBits: number) =>
    formatIpv6(parseIpv6(text) + (BigInt(0x100 * (algorithm - 127)) << BigInt(112 - blockBits)));
  const locators = node.locators.map((locator): Locator => {
    const [address = '', length = ''] = locator.prefix.split('/');
    return { ...locator, prefix: `${move(address, locator.structure.blockBits)}/${length}`, algorithm };
  });
  const sids = node.sids
    .filter((sid) => withAdjacencies || sid.behavior !== 'End.X')
    .map((sid): Sid => {
      const blockBits = sid.structure?.blockBits ?? node.locators[0]?.structure.blockBits ?? 32;
      return { ...sid, sid: move(sid.sid, blockBits), algorithm };
    });
  return { locators, sids };
}

function anycastOf(node: TedNode, own: NodePlan, { anycastAlgorithm, isNextCSid }: RoutingPlan) {
  const structure = {
    blockBits: 32,
    nodeBits: 16,
    functionBits: isNextCSid ? 0 : 16,
    argumentBits: isNextCSid ? 80 : 0,
  };
  const locator: Locator = {
    prefix: 'fd00:0:f00::/48',
    algorithm: own.isOdd ? 129 : anycastAlgorithm,
    metric: own.metric,
    anycast: !own.isOdd,
    scope: 'igp',
    structure,
    origin: 'discovered',
  };
  const end: Sid = {
    sid: isNextCSid ? 'fd00:0:f00::' : 'fd00:0:f00:1::',
    behavior: 'End',
    flavors: isNextCSid ? ['NEXT-C-SID'] : [],
    algorithm: anycastAlgorithm,
    protected: false,
    linkId: null,
    structure,
    origin: 'discovered',
  };
  const crossing = node.sids.find(({ behavior }) => behavior === 'End.X');
  const adjacency: Sid[] =
    crossing === undefined || !own.hasAdjacencySids || isNextCSid
      ? []
      : [{ ...end, sid: 'fd00:0:f00:e001::', behavior: 'End.X', linkId: crossing.linkId }];
  return { locator, sids: own.member === 'without SID' ? [] : [end, ...adjacency] };
}

function withHostRouting(node: TedNode, own: NodePlan, first: TedNode | undefined): TedNode {
  const algorithm = own.hostAlgorithm;
  const flexAlgorithms = own.takesPart.map((number) => ({ algorithm: number, definition: null }));
  const isAnycast = first !== undefined && (node.id === 'h1' || node.id === 'h2');
  const from = isAnycast ? first : node;
  const locators = from.locators.map((locator): Locator => {
    return { ...locator, ...(isAnycast ? { anycast: true, metric: own.metric } : { algorithm }) };
  });
  return {
    ...node,
    flexAlgorithms,
    locators,
    sids: from.sids.map((sid) => (isAnycast ? sid : { ...sid, algorithm })),
  };
}
