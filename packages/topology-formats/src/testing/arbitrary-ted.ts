import {
  formatIpv6,
  type EndpointBehavior,
  type FlexAlgorithmDefinition,
  type Locator,
  type Sid,
  type SidFlavor,
  type Ted,
  type TedLink,
  type TedNode,
} from '@waymark/topology';
import fc from 'fast-check';

/*
 * TEDs that the native format must be able to carry: valid ones, with every attribute somewhere set and somewhere not.
 */

const nullable = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(value, { nil: null });
const sortedSet = <T extends string | number>(value: fc.Arbitrary<T>): fc.Arbitrary<T[]> =>
  fc.uniqueArray(value, { maxLength: 3 }).map((values) => values.sort((a, b) => (a < b ? -1 : 1)));
const micros = fc.integer({ min: 0, max: 4_294_967_295 });
const bandwidth = nullable(fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }));
const label = fc.constantFrom(
  'Frankfurt',
  'São Paulo',
  '12',
  'true',
  'null',
  '# no: comment',
  ' spaced ',
  "O'Hare",
  '- x',
  '~',
);
const flavors: fc.Arbitrary<SidFlavor[]> = fc.subarray(['NEXT-C-SID', 'PSP', 'USD', 'USP']);

const linkAttributes = fc
  .record({
    igpArea: nullable(label),
    interfaceAddresses: sortedSet(fc.constantFrom('192.0.2.N', '198.51.100.N', '2001:db8:1::N', 'fe80::1')),
    igpMetric: fc.integer({ min: 0, max: 16_777_215 }),
    teMetric: nullable(micros),
    delays: fc.tuple(nullable(micros), nullable(micros), nullable(micros)),
    delayVariationUs: nullable(micros),
    lossPpm: nullable(fc.integer({ min: 0, max: 1_000_000 })),
    bandwidthBps: bandwidth,
    reservableBandwidthBps: bandwidth,
    affinities: sortedSet(fc.constantFrom('gold', 'submarine', 'x.y_z-1', 'null')),
    srlgs: sortedSet(micros),
    advertised: fc.constant(null),
    mtuBytes: nullable(fc.integer({ min: 1_280, max: 65_535 })),
    operationalState: fc.constantFrom('up' as const, 'down' as const),
  })
  .map(({ delays, ...attributes }) => {
    const known = delays.filter((delay) => delay !== null).sort((a, b) => a - b);
    const [delayMinUs, delayUs, delayMaxUs] = delays.map((delay) => (delay === null ? null : (known.shift() ?? null)));
    return {
      ...attributes,
      delayMinUs: delayMinUs ?? null,
      delayUs: delayUs ?? null,
      delayMaxUs: delayMaxUs ?? null,
      adminState: 'up' as const,
    };
  });

const affinities = sortedSet(fc.constantFrom('gold', 'submarine', 'on-no-link'));
const definition = fc.record<FlexAlgorithmDefinition>({
  metricType: fc.constantFrom('igp', 'min-delay', 'te'),
  priority: fc.integer({ min: 0, max: 255 }),
  excludeAny: affinities,
  includeAny: affinities,
  includeAll: affinities,
  excludeSrlgs: sortedSet(micros),
});

/** Hosts take part and define nothing. */
function flexAlgorithms(isHost: boolean): fc.Arbitrary<TedNode['flexAlgorithms']> {
  const entry = fc.record({
    algorithm: fc.integer({ min: 128, max: 255 }),
    definition: isHost ? fc.constant(null) : nullable(definition),
  });
  return fc
    .uniqueArray(entry, { maxLength: 3, selector: ({ algorithm }) => algorithm })
    .map((entries) => entries.sort((a, b) => a.algorithm - b.algorithm));
}

/** A locator and SIDs in it, numbered by the node so that nothing overlaps. */
function srv6(
  index: number,
  isHost: boolean,
  linkIds: readonly string[],
): fc.Arbitrary<Pick<TedNode, 'locators' | 'sids'>> {
  const network = (0xfcccn << 112n) | (BigInt(index) << 64n);
  const structure = fc.constantFrom(
    { blockBits: 48, nodeBits: 16, functionBits: 16, argumentBits: 0 },
    { blockBits: 16, nodeBits: 48, functionBits: 64, argumentBits: 0 },
    { blockBits: 60, nodeBits: 4, functionBits: 32, argumentBits: 16 },
  );
  const locator: fc.Arbitrary<Locator> = fc.record({
    prefix: fc.constant(`${formatIpv6(network)}/64`),
    algorithm: fc.constantFrom(0, 0, 128),
    metric: fc.integer({ min: 0, max: 100 }),
    anycast: fc.boolean(),
    scope: fc.constantFrom('igp' as const, 'attachment' as const),
    structure,
    origin: fc.constantFrom('discovered' as const, 'planned' as const, 'operator' as const),
  });
  const purposes: readonly { behavior: EndpointBehavior; linkId: string | null }[] = isHost
    ? [
        { behavior: 'End.DT4', linkId: null },
        { behavior: 'End.DT6', linkId: null },
      ]
    : [{ behavior: 'End', linkId: null }, ...linkIds.map((linkId) => ({ behavior: 'End.X' as const, linkId }))];
  return fc
    .tuple(
      locator,
      fc.array(fc.record({ flavors, protected: fc.boolean(), structure: nullable(structure), low: fc.boolean() }), {
        minLength: purposes.length,
        maxLength: purposes.length,
      }),
      fc.boolean(),
    )
    .map(([home, details, none]) => {
      if (none) return { locators: [], sids: [] };
      const sids = purposes.map(({ behavior, linkId }, i): Sid => {
        const detail = details[i];
        const value = BigInt(i + 1) << (detail?.low === true ? 0n : 48n);
        return {
          sid: formatIpv6(network + value),
          behavior,
          flavors: isHost ? [] : (detail?.flavors ?? []),
          algorithm: home.algorithm,
          protected: detail?.protected ?? false,
          linkId,
          structure: detail?.structure ?? null,
          origin: home.origin,
        };
      });
      return { locators: [home], sids };
    });
}

function node(index: number, isHost: boolean, linkIds: readonly string[]): fc.Arbitrary<TedNode> {
  return fc
    .tuple(
      fc.record({
        name: fc.option(label, { nil: undefined }),
        site: nullable(label),
        place: nullable(
          fc.tuple(fc.double({ min: -90, max: 90, noNaN: true }), fc.double({ min: -180, max: 180, noNaN: true })),
        ),
        igpDomain: fc.constantFrom('default', 'west'),
        encapMode: fc.constantFrom('full' as const, 'reduced' as const),
        msdHEncaps: nullable(fc.integer({ min: 0, max: 64 })),
        msdSegmentsLeft: nullable(fc.integer({ min: 0, max: 255 })),
        msdEndPop: nullable(fc.integer({ min: 0, max: 255 })),
        msdEndD: nullable(fc.integer({ min: 0, max: 255 })),
        flexAlgorithms: flexAlgorithms(isHost),
        hasAddress: fc.boolean(),
        hasPods: fc.boolean(),
        operationalState: fc.constantFrom('up' as const, 'down' as const),
      }),
      srv6(index + 1, isHost, linkIds),
    )
    .map(([{ name, place, hasAddress, hasPods, ...attributes }, sids]) => ({
      id: nodeId(index, isHost),
      kind: isHost ? 'host' : 'router',
      name: name ?? nodeId(index, isHost),
      latitude: place === null ? null : place[0] + 0,
      longitude: place === null ? null : place[1] + 0,
      routerId: hasAddress ? `10.0.0.${index}` : null,
      address: hasAddress ? `2001:db8::${(index + 1).toString(16)}` : null,
      podPrefixes: hasPods ? [`10.${index}.0.0/16`, `fd00:0:${(index + 1).toString(16)}::/48`] : [],
      adminState: 'up',
      ...attributes,
      ...sids,
    }));
}

const nodeId = (index: number, isHost: boolean): string => `${isHost ? 'h' : 'r'}${index + 1}`;

/** Valid TEDs of a few nodes and links, parallel ones included; sorted by id as a TED is. */
export const arbitraryTed: fc.Arbitrary<Ted> = fc
  .record({
    routers: fc.integer({ min: 1, max: 5 }),
    hosts: fc.integer({ min: 0, max: 2 }),
    ends: fc.array(fc.tuple(fc.nat(), fc.nat()), { maxLength: 8 }),
    ownIds: fc.boolean(),
  })
  .chain(({ routers, hosts, ends, ownIds }) => {
    const pairs = ends
      .map(([a, b]) => [a % routers, b % (routers + hosts)] as const)
      .filter(([a, b]) => a !== b)
      .map(([a, b], i): readonly [string, string, string] => [
        nodeId(a, false),
        nodeId(b, b >= routers),
        ownIds ? `:w${i}` : `:${i + 2}`,
      ]);
    const arcs = pairs.flatMap(([from, to, suffix]) => [
      { id: `${from}:${to}${suffix}`, from, to, reverseId: `${to}:${from}${suffix}` },
      { id: `${to}:${from}${suffix}`, from: to, to: from, reverseId: `${from}:${to}${suffix}` },
    ]);
    const nodes = Array.from({ length: routers + hosts }, (_, i) => {
      const id = nodeId(i, i >= routers);
      return node(
        i,
        i >= routers,
        arcs.filter(({ from }) => from === id).map((arc) => arc.id),
      );
    });
    const links = arcs.map((arc) =>
      linkAttributes.map((attributes): TedLink => ({
        ...arc,
        ...attributes,
        // no other node's
        interfaceAddresses: attributes.interfaceAddresses.map((address) => address.replace('N', arc.from.slice(1))),
      })),
    );
    return fc.tuple(fc.tuple(...nodes), fc.tuple(...links));
  })
  .map(([nodes, links]) => ({ revision: 0, nodes: nodes.sort(byId), links: links.sort(byId) }));

const byId = (a: { readonly id: string }, b: { readonly id: string }): number => (a.id < b.id ? -1 : 1);
