import { advertisedOf, withAdvertised } from './advertised.js';
import type { LinkId, NodeId, Ted, TedLink } from './ted.js';

/** What else a link is taken to have; what is left out stays as it is. */
export interface LinkChange {
  /** Directed. */
  readonly link: LinkId;
  /** What routers use. The TE metric stays what it is, even where it is the IGP metric for want of its own. */
  readonly igpMetric?: number;
  /** As an operator's values: they change search and proof, not what routers advertise for flexible algorithms. */
  readonly teMetric?: number;
  readonly delayUs?: number;
  readonly delayVariationUs?: number;
  readonly lossPpm?: number;
  readonly reservableBandwidthBps?: number;
  readonly affinities?: readonly string[];
  readonly srlgs?: readonly number[];
}

/** More traffic: either bandwidth on named directed links, or from a node to another as the IGP's ECMP splits it. */
export type Demand = {
  readonly bandwidthBps: number;
  /** At which it holds its bandwidth, 0 (the highest) to 7, the default. */
  readonly priority?: number;
} & ({ readonly links: readonly LinkId[] } | { readonly source: NodeId; readonly destination: NodeId });

/** What is taken to be otherwise than the TED says. Attributes change first; then whatever is named goes down. */
export interface Overlay {
  readonly down?: {
    /** Directed; the opposite direction is unusable with it (two-way check). */
    readonly links?: readonly LinkId[];
    readonly nodes?: readonly NodeId[];
    /** All links in these shared-risk link groups. */
    readonly srlgs?: readonly number[];
    /** All nodes there. */
    readonly sites?: readonly string[];
  };
  readonly links?: readonly LinkChange[];
  readonly demands?: readonly Demand[];
}

/** Part of every answer that holds under an overlay, of the revision that the overlay is laid on. */
export interface Hypothetical {
  readonly overlay: Overlay;
  /** Demands, by their position, that the IGP does not deliver there: they take no bandwidth. */
  readonly unroutedDemands: readonly number[];
}

/** The TED as it would be, apart from demands: these are bookings. Ids that it lacks are passed over. */
export function overlaidTed(ted: Ted, overlay: Overlay): Ted {
  const { links = [], nodes = [], srlgs = [], sites = [] } = overlay.down ?? {};
  const changes = new Map((overlay.links ?? []).map(({ link, ...attributes }) => [link, attributes]));
  const downLinks = new Set(links);
  const downNodes = new Set(nodes);
  const downSrlgs = new Set(srlgs);
  const downSites = new Set<string | null>(sites);
  const isDown = ({ id, srlgs: groups }: TedLink) => downLinks.has(id) || groups.some((group) => downSrlgs.has(group));
  return {
    revision: ted.revision,
    nodes: ted.nodes.map((node) =>
      downNodes.has(node.id) || downSites.has(node.site) ? { ...node, operationalState: 'down' } : node,
    ),
    links: ted.links.map((link) => {
      const attributes = changes.get(link.id);
      const changed = attributes === undefined ? link : withAttributes(link, attributes);
      return isDown(changed) ? { ...changed, operationalState: 'down' } : changed;
    }),
  };
}

function withAttributes(link: TedLink, attributes: Omit<LinkChange, 'link'>): TedLink {
  const teMetric = link.teMetric ?? (attributes.igpMetric === undefined ? null : link.igpMetric);
  return withAdvertised({ ...link, teMetric, ...attributes }, advertisedOf(link));
}
