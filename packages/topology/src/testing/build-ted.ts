import { canonicalIpv6, canonicalPrefix } from '../model/address.js';
import type { Locator, Sid, SidStructure, Ted, TedLink, TedNode } from '../model/ted.js';

/** A link of a test network in one line; unset attributes are plain. */
export interface LinkSpec extends Partial<Omit<TedLink, 'from' | 'to' | 'reverseId'>> {
  /** `a-b`, or `a-b#2` for a parallel link. Both directions are made. */
  readonly between: string;
  /** What differs in the direction from b to a. */
  readonly back?: Partial<TedLink>;
}

export interface NodeSpec extends Partial<TedNode> {
  readonly id: string;
  /** Scope of a host's locator; `none` leaves it without one. Routers are always IGP-wide. */
  readonly scope?: 'igp' | 'attachment' | 'none';
  /** False: no End SID (routers), no service SIDs (hosts). */
  readonly ownSids?: boolean;
  /** False: no End.X SIDs. */
  readonly adjacencySids?: boolean;
  /**
   * `plain`: no flavor; `next`: NEXT-C-SID, the End SID being the locator itself; `both`: an End SID of either kind. A
   * host's service SIDs are of known structure, but `opaque` ones are not.
   */
  readonly sidKind?: 'plain' | 'next' | 'both' | 'opaque';
  /** `long`: a block of 80 bits, which leaves room for three C-SIDs in a container instead of six. */
  readonly block?: 'usual' | 'long';
}

const BLOCKS = { usual: { text: 'fd00:0', bits: 32 }, long: { text: 'fd01:0:0:0:0', bits: 80 } } as const;

/**
 * A complete TED from a sketch. Nodes whose id begins with "h" are hosts. Node number i (in the order given) has locator
 * fd00:0:<i>::/48, End SID fd00:0:<i>:1::, service SIDs :d4 and :d6, and End.X SIDs from :e000 on. Where there are C-SIDs,
 * functions are above e000: node numbers and functions keep apart.
 */
export function buildTed(nodes: readonly (string | NodeSpec)[], links: readonly LinkSpec[]): Ted {
  const tedLinks = links.flatMap(buildLink);
  const tedNodes = nodes.map((spec, i) => {
    const full = typeof spec === 'string' ? { id: spec } : spec;
    return buildNode(
      full,
      i + 1,
      tedLinks.filter((link) => link.from === full.id),
    );
  });
  return { revision: 1, nodes: tedNodes.sort(byId), links: tedLinks.sort(byId) };
}

function buildLink(spec: LinkSpec): TedLink[] {
  const { between, back = {}, ...attributes } = spec;
  const [ends = '', parallel] = between.split('#');
  const [from = '', to = ''] = ends.split('-');
  const suffix = parallel === undefined ? '' : `:${parallel}`;
  const forward = `${from}:${to}${suffix}`;
  const backward = `${to}:${from}${suffix}`;
  const link: TedLink = {
    id: forward,
    from,
    to,
    reverseId: backward,
    igpArea: null,
    interfaceAddresses: [],
    igpMetric: 10,
    teMetric: null,
    delayUs: 1000,
    delayMinUs: null,
    delayMaxUs: null,
    delayVariationUs: 0,
    lossPpm: 0,
    bandwidthBps: 10_000_000_000,
    reservableBandwidthBps: null,
    affinities: [],
    srlgs: [],
    advertised: null,
    mtuBytes: 9000,
    adminState: 'up',
    operationalState: 'up',
    ...attributes,
  };
  return [link, { ...link, id: backward, from: to, to: from, reverseId: forward, ...back }];
}

function buildNode(spec: NodeSpec, number: number, links: readonly TedLink[]): TedNode {
  const { scope = 'attachment', ownSids = true, adjacencySids = true, sidKind = 'plain', block, ...attributes } = spec;
  const kind = spec.kind ?? (spec.id.startsWith('h') ? 'host' : 'router');
  const { text: blockText, bits: blockBits } = BLOCKS[block ?? 'usual'];
  const base = `${blockText}:${number.toString(16)}`;
  const structure: SidStructure = { blockBits, nodeBits: 16, functionBits: 16, argumentBits: 0 };
  const isNext = sidKind === 'next' || sidKind === 'both';
  const sid = (text: string, behavior: Sid['behavior'], linkId: string | null = null): Sid => ({
    sid: canonicalIpv6(`${base}:${text}${blockText === BLOCKS.usual.text ? '::' : ':0'}`),
    behavior,
    flavors: isNext && !behavior.startsWith('End.DT') ? ['NEXT-C-SID'] : [],
    algorithm: 0,
    protected: false,
    linkId,
    structure: sidKind === 'opaque' ? null : isNext ? { ...structure, argumentBits: 96 - blockBits } : structure,
    origin: 'discovered',
  });
  const bare: Sid = {
    ...sid('0', 'End'),
    structure: { ...structure, functionBits: 0, argumentBits: 112 - blockBits },
  };
  const locator: Locator = {
    prefix: canonicalPrefix(`${base}::/${blockBits + 16}`),
    algorithm: 0,
    metric: 0,
    anycast: false,
    scope: kind === 'router' ? 'igp' : scope === 'igp' ? 'igp' : 'attachment',
    structure,
    origin: 'discovered',
  };
  const classic: Sid = { ...sid(isNext ? 'e0ff' : '1', 'End'), flavors: [], structure };
  const ends = sidKind === 'next' ? [bare] : sidKind === 'both' ? [bare, classic] : [classic];
  const own = kind === 'router' ? ends : [sid('d4', 'End.DT4'), sid('d6', 'End.DT6')];
  const hasAdjacency = kind === 'router' && adjacencySids;
  const adjacency = hasAdjacency ? links.map((link, i) => sid((0xe000 + i).toString(16), 'End.X', link.id)) : [];
  return {
    name: spec.id,
    kind,
    site: null,
    latitude: null,
    longitude: null,
    routerId: null,
    igpDomain: 'default',
    address: null,
    encapMode: 'reduced',
    msdHEncaps: 10,
    msdSegmentsLeft: null,
    msdEndPop: null,
    msdEndD: null,
    podPrefixes: [],
    adminState: 'up',
    operationalState: 'up',
    flexAlgorithms: [],
    locators: scope === 'none' ? [] : [locator],
    sids: [...(ownSids ? own : []), ...adjacency],
    ...attributes,
  };
}

function byId(a: { readonly id: string }, b: { readonly id: string }): number {
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
}
