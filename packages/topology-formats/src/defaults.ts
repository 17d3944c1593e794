import type { Ted, TedLink, TedNode } from '@waymark/topology';
import type { DocumentLink, DocumentNode, TopologyDocument } from './topology-document.js';

/** Metric of a link for which no source gives one: what IS-IS uses when nothing is configured. */
export const defaultIgpMetric = 10;

/** Values of node attributes that no source has set. `name` falls back to the id. */
export const nodeDefaults = {
  site: null,
  latitude: null,
  longitude: null,
  routerId: null,
  igpDomain: 'default',
  address: null,
  encapMode: 'full',
  msdHEncaps: null,
  msdSegmentsLeft: null,
  msdEndPop: null,
  msdEndD: null,
  podPrefixes: [],
  adminState: 'up',
  operationalState: 'up',
  flexAlgorithms: [],
  locators: [],
  sids: [],
} as const satisfies Omit<TedNode, 'id' | 'kind' | 'name'>;

/** Values of link attributes that no source has set. */
export const linkDefaults = {
  igpArea: null,
  interfaceAddresses: [],
  igpMetric: defaultIgpMetric,
  teMetric: null,
  delayUs: null,
  delayMinUs: null,
  delayMaxUs: null,
  delayVariationUs: null,
  lossPpm: null,
  bandwidthBps: null,
  reservableBandwidthBps: null,
  affinities: [],
  srlgs: [],
  advertised: null,
  mtuBytes: null,
  adminState: 'up',
  operationalState: 'up',
} as const satisfies Omit<TedLink, 'id' | 'from' | 'to' | 'reverseId'>;

function nodeFrom(node: DocumentNode): TedNode {
  return { ...nodeDefaults, name: node.id, ...node };
}

function linkFrom(link: DocumentLink): TedLink {
  return { ...linkDefaults, ...link };
}

const byId = (a: { readonly id: string }, b: { readonly id: string }): number =>
  a.id < b.id ? -1 : a.id > b.id ? 1 : 0;

/** The TED that this document alone would make, defaults filled in: for benchmarks, tests and tools without a database. */
export function tedFromDocument(document: TopologyDocument, revision = 0): Ted {
  return {
    revision,
    nodes: document.nodes.map(nodeFrom).sort(byId),
    links: document.links.map(linkFrom).sort(byId),
  };
}
