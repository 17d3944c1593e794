import fc from 'fast-check';
import { formatIpv6, parseIpv6 } from '../model/address.js';
import type { EncapMode, Locator, Sid, SidFlavor, Ted, TedNode } from '../model/ted.js';
import { arbitraryRouting, withRouting } from './arbitrary-routing.js';
import { buildTed, type LinkSpec, type NodeSpec } from './build-ted.js';

export const AFFINITIES = ['blue', 'gold', 'red'] as const;
export const SITES = ['east', 'west'] as const;

export interface TedShape {
  readonly maxRouters: number;
  readonly maxLinks: number;
  /** Every attribute is known, everything is up, and every router and link has its SIDs. */
  readonly healthy?: boolean;
  readonly zeroMetrics?: boolean;
  /** Routers with and without NEXT-C-SID, blocks with room for six C-SIDs and for three, service SIDs that are opaque. */
  readonly cSids?: boolean;
  /** Flexible algorithms and anycast; without it in half of the networks. */
  readonly routing?: 'always' | 'never';
  /** Some links leave room for the headers of one or two SIDs only. */
  readonly narrowLinks?: boolean;
  /**
   * Some nodes process short SRHs only, some headends push full ones, SIDs have random flavors, some routers a second SID
   * for whatever they have one for, with other flavors, and some one more End SID that nobody else has a route to.
   */
  readonly endpointLimits?: boolean;
}

/**
 * Random small networks: routers a, b, c, … with parallel links, ties, links down in one direction, disconnected parts,
 * and hosts h1, h2, h3 with one or two links.
 */
export function arbitraryTed(shape: TedShape): fc.Arbitrary<Ted> {
  const { maxRouters, maxLinks, healthy = false, zeroMetrics = true, cSids = false, narrowLinks = false } = shape;
  const { endpointLimits = false } = shape;
  const metric = fc.integer({ min: zeroMetrics ? 0 : 1, max: 3 });
  const routed = arbitraryRouting(AFFINITIES, cSids);
  const plan = { always: routed, never: fc.constant(null), sometimes: fc.option(routed, { freq: 1 }) };
  const loss = fc.constantFrom(0, 0, 1, 100_000, 500_000);
  const rarely = <T>(value: T, otherwise: T) =>
    healthy ? fc.constant(otherwise) : fc.integer({ min: 0, max: 9 }).map((n) => (n === 0 ? value : otherwise));
  const direction = fc.record({
    igpMetric: metric,
    teMetric: healthy ? metric : fc.option(metric),
    delayMinUs: fc.option(metric, { freq: 5 }),
    advertised: fc.option(
      fc.record({
        teMetric: fc.option(metric, { freq: 9 }),
        delayMinUs: fc.option(metric, { freq: 9 }),
        affinities: fc.subarray([...AFFINITIES]),
        srlgs: fc.subarray([1, 2]),
      }),
      { freq: 1 },
    ),
    delayUs: healthy ? metric : fc.option(metric, { freq: 9 }),
    delayVariationUs: healthy ? metric : fc.option(metric, { freq: 9 }),
    lossPpm: healthy ? loss : fc.option(fc.oneof({ weight: 9, arbitrary: loss }, fc.constant(1_000_000)), { freq: 9 }),
    bandwidthBps: healthy ? fc.constantFrom(10, 20, 30) : fc.constantFrom(10, 20, 30, null),
    mtuBytes: narrowLinks ? rarely(1340, 9000) : fc.constant(9000),
    affinities: fc.subarray([...AFFINITIES]),
    srlgs: fc.subarray([1, 2]),
    operationalState: rarely('down' as const, 'up' as const),
    adminState: rarely('drained' as const, 'up' as const),
  });
  const link = fc.record({ from: fc.nat(), to: fc.nat(), forward: direction, back: direction });
  return fc
    .record({
      routers: fc.integer({ min: 2, max: maxRouters }),
      links: fc.array(link, { minLength: 1, maxLength: maxLinks }),
      hosts: fc.array(
        fc.record({
          links: fc.array(fc.record({ to: fc.nat(), forward: direction, back: direction }), {
            minLength: 1,
            maxLength: 2,
          }),
          scope: fc.constantFrom('igp' as const, 'attachment' as const, 'none' as const),
        }),
        { maxLength: 3 },
      ),
      sites: fc.array(fc.constantFrom(null, null, ...SITES), { minLength: 10, maxLength: 10 }),
      drained: fc.array(rarely('drained' as const, 'up' as const), { minLength: 10, maxLength: 10 }),
      nodeStates: fc.array(rarely('down' as const, 'up' as const), { minLength: 10, maxLength: 10 }),
      isOneBlock: fc.boolean(),
      sidShapes: fc.array(
        fc.record({
          sidKind: fc.constantFrom('next' as const, 'next' as const, 'both' as const, 'plain' as const),
          block: fc.constantFrom('usual' as const, 'long' as const),
        }),
        { minLength: 13, maxLength: 13 },
      ),
      limits: fc.array(nodeLimits, endpointLimits ? { minLength: 13, maxLength: 13 } : { maxLength: 0 }),
      withoutSids: fc.array(rarely(true, false), { minLength: 10, maxLength: 10 }),
      plan: plan[shape.routing ?? 'sometimes'],
    })
    .map(({ routers, links, hosts, sites, drained, nodeStates, withoutSids, isOneBlock, sidShapes, limits, plan }) => {
      const sidShape = (number: number): Pick<NodeSpec, 'sidKind' | 'block'> => {
        const shape = sidShapes[number];
        if (!cSids || shape === undefined) return {};
        return isOneBlock ? { ...shape, block: sidShapes[0]?.block ?? 'usual' } : shape;
      };
      const names = Array.from({ length: routers }, (_, i) => String.fromCharCode(97 + i));
      const nodes: NodeSpec[] = names.map((id, i) => ({
        id,
        site: sites[i] ?? null,
        operationalState: nodeStates[i] ?? 'up',
        adminState: drained[i] ?? 'up',
        ownSids: withoutSids[i] !== true,
        adjacencySids: withoutSids[9 - i] !== true,
        msdHEncaps: 100,
        ...sidShape(i),
      }));
      const specs: LinkSpec[] = [];
      const count = new Map<string, number>();
      const add = (from: string, to: string, forward: Partial<LinkSpec>, back: Partial<LinkSpec>) => {
        const pair = [from, to].sort().join('-');
        const number = (count.get(pair) ?? 0) + 1;
        count.set(pair, number);
        specs.push({ between: `${from}-${to}${number === 1 ? '' : `#${number}`}`, ...forward, back });
      };
      for (const { from, to, forward, back } of links) {
        const a = names[from % routers] ?? 'a';
        const b = names[to % routers] ?? 'a';
        if (a !== b) add(a, b, forward, back);
      }
      hosts.forEach((host, i) => {
        const id = `h${i + 1}`;
        const shape = sidShape(10 + i);
        const sidKind = shape.sidKind === 'both' ? 'opaque' : shape.sidKind;
        const site = sites[9 - i] ?? null;
        nodes.push({ id, site, scope: host.scope, msdHEncaps: 100, ...shape, ...(sidKind && { sidKind }) });
        for (const { to, forward, back } of host.links) add(id, names[to % routers] ?? 'a', forward, back);
      });
      const ted = buildTed(nodes, specs);
      const routedTed = plan === null ? ted : withRouting(ted, plan);
      return readable({ ...routedTed, nodes: routedTed.nodes.map((node, i) => limited(node, limits[i], i)) });
    });
}

interface NodeLimits extends Pick<TedNode, 'msdSegmentsLeft' | 'msdEndPop' | 'msdEndD'> {
  readonly encapMode: EncapMode;
  /** By SID, over and over. */
  readonly flavors: readonly (readonly SidFlavor[])[];
  readonly hasTwins: boolean;
  readonly hasUnroutedEnd: boolean;
}

const limit = fc.constantFrom(null, null, 0, 1, 2, 3);
const nodeLimits: fc.Arbitrary<NodeLimits> = fc.record({
  msdSegmentsLeft: limit,
  msdEndPop: limit,
  msdEndD: limit,
  encapMode: fc.constantFrom('full', 'reduced'),
  flavors: fc.array(fc.subarray<SidFlavor>(['PSP', 'USP', 'USD']), { minLength: 1, maxLength: 5 }),
  hasTwins: fc.boolean(),
  hasUnroutedEnd: fc.integer({ min: 0, max: 3 }).map((n) => n === 0),
});

function limited(node: TedNode, limits: NodeLimits | undefined, number: number): TedNode {
  if (limits === undefined) return node;
  const { flavors, hasTwins, hasUnroutedEnd, ...values } = limits;
  const unrouted = hasUnroutedEnd && node.kind === 'router' ? unroutedEnd(number) : { locators: [], sids: [] };
  const all = node.sids.flatMap((sid) => (hasTwins ? [sid, ...twinOf(sid)] : [sid])).concat(unrouted.sids);
  const sids = all.map((sid, i) =>
    sid.behavior.startsWith('End.DT')
      ? sid
      : { ...sid, flavors: [...sid.flavors, ...(flavors[i % flavors.length] ?? [])] },
  );
  return { ...node, ...values, locators: [...node.locators, ...unrouted.locators], sids };
}

/** Under a locator of the router that is in no IGP. */
function unroutedEnd(number: number): { readonly locators: Locator[]; readonly sids: Sid[] } {
  const base = `fd00:0:${(0x300 + number).toString(16)}`;
  const structure = { blockBits: 32, nodeBits: 16, functionBits: 16, argumentBits: 0 };
  const shared = { algorithm: 0, structure, origin: 'discovered' as const };
  return {
    locators: [{ ...shared, prefix: `${base}::/48`, metric: 0, anycast: false, scope: 'attachment' }],
    sids: [{ ...shared, sid: `${base}:1::`, behavior: 'End', flavors: [], protected: false, linkId: null }],
  };
}

/** The same behavior under another function, 256 further on. */
function twinOf(sid: Sid): Sid[] {
  const { blockBits = 0, nodeBits = 0, functionBits = 0 } = sid.structure ?? {};
  if (functionBits === 0 || sid.behavior.startsWith('End.DT')) return [];
  const further = 256n << BigInt(128 - blockBits - nodeBits - functionBits);
  return [{ ...sid, sid: formatIpv6(parseIpv6(sid.sid) + further) }];
}

/** Lets a failing property print the network in a few lines. */
export function readable(ted: Ted): Ted {
  const text = () =>
    [
      '',
      ...ted.nodes.map(
        (node) =>
          `${node.id} ${node.operationalState} ${node.adminState} at ${node.site ?? '-'} ${node.routerId ?? ''} [` +
          node.locators
            .map((locator) => {
              const { prefix, scope, algorithm, anycast, metric } = locator;
              return `${prefix} ${scope} ${algorithm}${anycast ? ` anycast at ${metric}` : ''}`;
            })
            .join(', ') +
          `] ${node.encapMode} left ${node.msdSegmentsLeft ?? '-'} pop ${node.msdEndPop ?? '-'} d ${node.msdEndD ?? '-'} ` +
          `${JSON.stringify(node.flexAlgorithms)}: ` +
          node.sids.map((sid) => [sid.sid, sid.linkId ?? sid.behavior, ...sid.flavors].join(' ')).join(', '),
      ),
      ...ted.links.map(
        (link) =>
          `${link.id} igp ${link.igpMetric} te ${link.teMetric ?? '-'} delay ${link.delayUs ?? '-'} ` +
          `variation ${link.delayVariationUs ?? '-'} loss ${link.lossPpm ?? '-'} ` +
          `advertised ${JSON.stringify(link.advertised ?? { teMetric: link.teMetric, delayMinUs: link.delayMinUs })} ` +
          `${link.bandwidthBps ?? '-'} bit/s [${link.affinities.join(' ')}] [${link.srlgs.join(' ')}] ` +
          `mtu ${link.mtuBytes ?? '-'} ${link.operationalState} ${link.adminState}`,
      ),
      '',
    ].join('\n');
  return Object.defineProperty({ ...ted }, fc.toStringMethod, { value: text, enumerable: false });
}
