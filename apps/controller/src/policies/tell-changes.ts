import { isDeepStrictEqual } from 'node:util';
import { advertisedOf, type LinkId, type NodeId, type Ted, type TedLink, type TedNode } from '@waymark/topology';
import { elementOf } from './sorted-elements.js';

export interface ChangedElement {
  readonly kind: 'link' | 'node';
  readonly id: string;
}

/** What happened, and to what: a link may be unusable because its other direction or one of its nodes went down. */
export interface Told {
  readonly subject: ChangedElement;
  /** `link a:b went down, has delay 9000 us instead of 1000 us` */
  readonly summary: string;
}

/** Tells in words how elements differ between two states of the TED, both sorted by id. */
export class ChangeTeller {
  readonly #before: Ted;
  readonly #after: Ted;

  constructor(before: Ted, after: Ted) {
    this.#before = before;
    this.#after = after;
  }

  tell({ kind, id }: ChangedElement): Told {
    return kind === 'link' ? this.#link(id) : this.#node(id);
  }

  #link(id: LinkId): Told {
    const before = elementOf(this.#before.links, id);
    const after = elementOf(this.#after.links, id);
    const own = differences('link', id, before, after, linkAspects);
    if (before === undefined || after === undefined || before.operationalState !== after.operationalState) return own;
    const reverse = [
      elementOf(this.#before.links, before.reverseId),
      elementOf(this.#after.links, after.reverseId),
    ] as const;
    if (reverse[0]?.operationalState !== reverse[1]?.operationalState) {
      return differences('link', after.reverseId, ...reverse, linkAspects);
    }
    const moved = [after.from, after.to].find((node) => {
      const [then, now] = [elementOf(this.#before.nodes, node), elementOf(this.#after.nodes, node)];
      return then?.operationalState !== now?.operationalState || then?.adminState !== now?.adminState;
    });
    return moved === undefined ? own : this.#node(moved);
  }

  #node(id: NodeId): Told {
    return differences('node', id, elementOf(this.#before.nodes, id), elementOf(this.#after.nodes, id), nodeAspects);
  }
}

/** Completes "link a:b …" when this aspect differs. */
type Aspect<T> = (before: T, after: T) => string | undefined;

function differences<T>(
  kind: ChangedElement['kind'],
  id: string,
  before: T | undefined,
  after: T | undefined,
  aspects: readonly Aspect<T>[],
): Told {
  const told = (what: string): Told => ({ subject: { kind, id }, summary: `${kind} ${id} ${what}` });
  if (after === undefined) return told('left the topology');
  if (before === undefined) return told('appeared in the topology');
  const parts = aspects.flatMap((aspect) => aspect(before, after) ?? []);
  return told(parts.length === 0 ? 'changed' : parts.join(', '));
}

interface States {
  readonly operationalState: 'up' | 'down';
  readonly adminState: 'up' | 'drained' | 'down';
}

const operational: Aspect<States> = (before, after) => {
  if (before.operationalState === after.operationalState) return undefined;
  return after.operationalState === 'up' ? 'came up' : 'went down';
};

const ADMIN_STATE = { up: 'was put back into use', drained: 'was drained', down: 'was taken down' } as const;

const administrative: Aspect<States> = (before, after) =>
  before.adminState === after.adminState ? undefined : ADMIN_STATE[after.adminState];

/** A value that can be said. */
function value<T>(name: string, of: (element: T) => string | number | null, unit = ''): Aspect<T> {
  const said = (found: string | number | null) => (found === null ? 'unknown' : `${found}${unit}`);
  return (before, after) =>
    of(before) === of(after) ? undefined : `has ${name} ${said(of(after))} instead of ${said(of(before))}`;
}

/** A value that is too long to be said. */
function other<T>(name: string, of: (element: T) => unknown): Aspect<T> {
  return (before, after) => (isDeepStrictEqual(of(before), of(after)) ? undefined : `has other ${name}`);
}

/** Behind an operator's or a measured value. */
const advertised: Aspect<TedLink> = (before, after) => {
  const [then, now] = [before, after].map((link) => advertisedOf({ ...link, advertised: null }));
  const isBehind = isDeepStrictEqual(then, now) && !isDeepStrictEqual(advertisedOf(before), advertisedOf(after));
  return isBehind ? 'has other values advertised by routers' : undefined;
};

const linkAspects: readonly Aspect<TedLink>[] = [
  operational,
  administrative,
  value('IGP metric', (link) => link.igpMetric),
  value('TE metric', (link) => link.teMetric ?? link.igpMetric),
  value('delay', (link) => link.delayUs, ' us'),
  value('delay variation', (link) => link.delayVariationUs, ' us'),
  value('loss', (link) => link.lossPpm, ' ppm'),
  value('bandwidth', (link) => link.bandwidthBps, ' bit/s'),
  value('reservable bandwidth', (link) => link.reservableBandwidthBps ?? link.bandwidthBps, ' bit/s'),
  value('MTU', (link) => link.mtuBytes, ' bytes'),
  other('affinities', (link) => link.affinities),
  other('SRLGs', (link) => link.srlgs),
  value('minimum delay', (link) => link.delayMinUs, ' us'),
  advertised,
];

const isService = ({ behavior }: TedNode['sids'][number]) => behavior.startsWith('End.DT');

const confirmed: Aspect<TedNode> = (before, after) => {
  const planned = ({ locators, sids }: TedNode) => [...locators, ...sids].some(({ origin }) => origin === 'planned');
  return planned(before) && !planned(after) ? 'had its planned SIDs confirmed' : undefined;
};

const nodeAspects: readonly Aspect<TedNode>[] = [
  operational,
  administrative,
  confirmed,
  other('service SIDs', ({ sids }) => sids.filter(isService).map(({ sid, behavior }) => [sid, behavior])),
  other('SIDs', ({ sids }) =>
    sids.filter((sid) => !isService(sid)).map(({ sid, behavior, linkId }) => [sid, behavior, linkId]),
  ),
  other('locators', ({ locators }) => locators.map(({ prefix, scope, algorithm }) => [prefix, scope, algorithm])),
  other('flexible algorithms', (node) => node.flexAlgorithms),
  other('pod prefixes', (node) => node.podPrefixes),
  value('address', (node) => node.address),
  value('MSD', (node) => node.msdHEncaps),
  value('maximum Segments Left', (node) => node.msdSegmentsLeft),
  value('maximum End Pop', (node) => node.msdEndPop),
  value('maximum End D', (node) => node.msdEndD),
  value('encapsulation', (node) => node.encapMode),
  value('site', (node) => node.site),
];
