import type { AdminState, LinkId, Locator, NodeId, Sid, Ted, TedLink, TedNode } from '@waymark/topology';
import { stringify } from 'yaml';
import { linkDefaults, nodeDefaults } from '../defaults.js';

/** What operators have laid over nodes and links, for an export. An import reads it and does not apply it. */
export interface OperatorSettings {
  readonly nodes: readonly OperatorNodeSettings[];
  readonly links: readonly OperatorLinkSettings[];
}

export interface OperatorNodeSettings {
  readonly id: NodeId;
  readonly adminState?: AdminState | null;
  readonly msdHEncaps?: number | null;
}

export interface OperatorLinkSettings {
  readonly id: LinkId;
  readonly adminState?: AdminState | null;
  readonly teMetric?: number | null;
  readonly delayUs?: number | null;
  readonly delayVariationUs?: number | null;
  readonly lossPpm?: number | null;
  readonly bandwidthBps?: number | null;
  readonly reservableBandwidthBps?: number | null;
  readonly affinities?: readonly string[] | null;
  readonly srlgs?: readonly number[] | null;
}

/**
 * Writes a TED in the native format. Values that are defaults are left out; admin state is written only within
 * `operatorSettings`. Reading the text again gives a document with the same TED.
 */
export function serializeTopology(ted: Ted, syntax: 'json' | 'yaml', operatorSettings?: OperatorSettings): string {
  const file = {
    waymark: 1,
    nodes: ted.nodes.map(nodeEntry),
    links: linkEntries(ted.links),
    ...(operatorSettings && {
      operator: { nodes: operatorSettings.nodes.map(withoutNulls), links: operatorSettings.links.map(withoutNulls) },
    }),
  };
  if (syntax === 'json') return `${JSON.stringify(file, null, 2)}\n`;
  return stringify(file, { aliasDuplicateObjects: false, lineWidth: 0 });
}

function nodeEntry(node: TedNode): object {
  const { id, kind, name, locators, sids } = node;
  return {
    id,
    kind,
    ...(name !== id && { name }),
    ...withoutDefaults(node, nodeAttributes),
    ...(locators.length > 0 && { locators: locators.map(locatorEntry) }),
    ...(sids.length > 0 && { sids: sids.map(sidEntry) }),
  };
}

const notWrittenHere = new Set(['adminState', 'locators', 'sids']);
const nodeAttributes = Object.entries(nodeDefaults).filter(([name]) => !notWrittenHere.has(name));
const linkAttributes = Object.entries(linkDefaults).filter(([name]) => !notWrittenHere.has(name));
const locatorAttributes = Object.entries({
  algorithm: 0,
  metric: 0,
  anycast: false,
  scope: 'igp',
  origin: 'discovered',
});
const sidAttributes = Object.entries({ flavors: [], protected: false, linkId: null, origin: 'discovered' });

/** The structure is always written (and a SID's algorithm): what stands for a missing one is a guess that the reader makes. */
function locatorEntry(locator: Locator): object {
  return { prefix: locator.prefix, ...withoutDefaults(locator, locatorAttributes), structure: locator.structure };
}

function sidEntry(sid: Sid): object {
  const { algorithm, structure } = sid;
  return {
    sid: sid.sid,
    behavior: sid.behavior,
    ...withoutDefaults(sid, sidAttributes),
    algorithm,
    structure: structure ?? 'opaque',
  };
}

/** Links in the directed form, each with its reverse behind it. */
function linkEntries(links: readonly TedLink[]): object[] {
  const byId = new Map(links.map((link) => [link.id, link]));
  return links
    .flatMap((link) => (link.id < link.reverseId ? [link, byId.get(link.reverseId)] : []))
    .filter((link) => link !== undefined)
    .map(linkEntry);
}

function linkEntry(link: TedLink): object {
  const { id, from, to, reverseId } = link;
  return { id, from, to, reverse: reverseId, ...withoutDefaults(link, linkAttributes) };
}

/** The attributes that differ from their defaults; lists are defaults when empty. */
function withoutDefaults(attributes: object, defaults: readonly (readonly [string, unknown])[]): object {
  const values: Readonly<Record<string, unknown>> = { ...attributes };
  const isDefault = (value: unknown, usual: unknown): boolean =>
    value === usual || (Array.isArray(value) && value.length === 0);
  return Object.fromEntries(
    defaults.filter(([name, usual]) => !isDefault(values[name], usual)).map(([name]) => [name, values[name]]),
  );
}

function withoutNulls(settings: object): object {
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== null && value !== undefined));
}
