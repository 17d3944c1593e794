import type { MeshIntent, PolicyTemplate, SrPolicyIntent } from '../../../apps/controller/src/model/sr-policy.js';
import type { LinkConstraints } from '../../../apps/controller/src/model/topology.js';

/** Hosts of the demo topology that have an agent; in a short run only the first ones. */
export const AGENTS: readonly string[] = ['dc-amsterdam', 'dc-madrid', 'dc-vienna', 'dc-london'];
const ENDPOINTS = [...AGENTS, 'dc-athens', 'dc-stockholm', 'dc-milan'];

/** Links whose failing leaves every host reachable. */
export const LINKS: readonly string[] = ['UK:FR', 'NL:UK', 'DE:NL', 'CH:FR', 'CH:DE', 'AT:IT', 'CH:ES', 'ES:IT'];

export const POLICY_SLOTS = 14;
export const MESH_SLOTS = 2;
export const LINK_SLOTS = 12;
/** How many different contents a slot can have. */
export const VARIANTS = 4;

export type Resource = 'policy' | 'mesh' | 'link-constraints';

/**
 * What a client asks for. A slot is one thing that can be there or not: `put` creates it or, when it is there, changes it.
 * `refused` is a request that must be refused and leave nothing.
 */
export type Operation =
  | { readonly kind: 'put'; readonly resource: Resource; readonly slot: number; readonly variant: number }
  | { readonly kind: 'delete'; readonly resource: Resource; readonly slot: number }
  | { readonly kind: 'refused'; readonly variant: number }
  | { readonly kind: 'link-state'; readonly link: string; readonly state: 'up' | 'down' };

const TEMPLATES: readonly PolicyTemplate[] = [
  template({ kind: 'dynamic', metric: 'delay', constraints: {} }),
  template({ kind: 'dynamic', metric: 'igp', constraints: {} }),
  template({ kind: 'dynamic', metric: 'delay', constraints: { bandwidthBps: 1_000_000_000 } }),
  template({ kind: 'dynamic', metric: 'hop', constraints: {}, standby: { disjoint: ['link'], mode: 'relaxed' } }),
];

function template(path: PolicyTemplate['candidatePaths'][number]['path']): PolicyTemplate {
  return { candidatePaths: [{ discriminator: 1, preference: 100, path }], fallback: 'shortest-path' };
}

const CONSTRAINTS: readonly LinkConstraints[] = [
  { adminState: 'drained' },
  { delayUs: 40_000 },
  { teMetric: 7, affinities: ['leased'] },
  { reservableBandwidthBps: 2_000_000_000 },
];

/**
 * The policy of a slot. `life` tells apart those that a slot has had: one of which nobody knows what became of it is left
 * alone, and the slot goes on with another.
 */
export function policyIntent(agents: readonly string[], slot: number, life: number, variant: number): SrPolicyIntent {
  const headend = nth(agents, slot);
  const endpoint = nth(
    ENDPOINTS.filter((host) => host !== headend),
    slot + life,
  );
  return { headend, color: 1_000 + life * 100 + slot, endpoint, ...nth(TEMPLATES, variant) };
}

/** A mesh of all agents. Its pairs change with the variant as well as its template. */
export function meshIntent(agents: readonly string[], slot: number, life: number, variant: number): MeshIntent {
  const nodes = variant === 0 ? [...agents, 'dc-athens'] : [...agents];
  return {
    id: `chaos-${slot}-${life}`,
    color: 500_000 + life * 10 + slot,
    selector: { nodes },
    template: nth(TEMPLATES, variant),
    overrides: [],
  };
}

/** The link of a slot, in its two directions. */
export function constrainedLink(slot: number): string {
  const link = nth(LINKS, slot >> 1);
  return slot % 2 === 0 ? link : link.split(':').reverse().join(':');
}

export function linkConstraints(variant: number): LinkConstraints {
  return nth(CONSTRAINTS, variant);
}

function nth<T>(items: readonly T[], index: number): T {
  const item = items[index % items.length];
  if (item === undefined) throw new RangeError('there is nothing to choose from');
  return item;
}
