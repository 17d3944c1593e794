import {
  parseIpv6,
  parsePrefix,
  type AdminState,
  type FlexAlgorithm,
  type LinkId,
  type Locator,
  type NodeId,
  type Sid,
  type Ted,
  type TedLink,
  type TedNode,
} from '@waymark/topology';
import { linkDefaults, nodeDefaults } from '../defaults.js';
import { definitionDefaults, NodeLocators, sameStructure, structureWithin, usualStructure } from './implied-values.js';
import { writeYaml } from './write-yaml.js';

/** What operators have laid over nodes and links, for an export. An import reads it and does not apply it. */
export interface OperatorSettings {
  readonly nodes: readonly OperatorNodeSettings[];
  readonly links: readonly OperatorLinkSettings[];
}

export interface OperatorNodeSettings {
  readonly id: NodeId;
  readonly adminState?: AdminState | null;
  readonly msdHEncaps?: number | null;
  readonly msdSegmentsLeft?: number | null;
  readonly msdEndPop?: number | null;
  readonly msdEndD?: number | null;
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
  return syntax === 'json' ? `${JSON.stringify(file, null, 2)}\n` : writeYaml(file);
}

function nodeEntry(node: TedNode): object {
  const { id, kind, name, flexAlgorithms, locators, sids } = node;
  return {
    id,
    kind,
    ...(name !== id && { name }),
    ...withoutDefaults(node, nodeAttributes),
    ...(flexAlgorithms.length > 0 && { flexAlgorithms: flexAlgorithms.map(flexAlgorithmEntry) }),
    ...(locators.length > 0 && { locators: locators.map(locatorEntry) }),
    ...(sids.length > 0 && { sids: sidEntries(sids, new NodeLocators(locators)) }),
  };
}

const notWrittenHere = new Set(['adminState', 'advertised', 'flexAlgorithms', 'locators', 'sids']);
const nodeAttributes = Object.entries(nodeDefaults).filter(([name]) => !notWrittenHere.has(name));
const linkAttributes = Object.entries(linkDefaults).filter(([name]) => !notWrittenHere.has(name));
const locatorAttributes = Object.entries({
  algorithm: 0,
  metric: 0,
  anycast: false,
  scope: 'igp',
  origin: 'discovered',
});
const definitionAttributes = Object.entries(definitionDefaults);
const sidAttributes = Object.entries({ flavors: [], protected: false, linkId: null, origin: 'discovered' });

function flexAlgorithmEntry({ algorithm, definition }: FlexAlgorithm): object {
  return definition === null
    ? { algorithm }
    : { algorithm, definition: withoutDefaults(definition, definitionAttributes) };
}

function locatorEntry(locator: Locator): object {
  const { prefix, structure } = locator;
  return {
    prefix,
    ...withoutDefaults(locator, locatorAttributes),
    ...(!sameStructure(structure, usualStructure(parsePrefix(prefix).length)) && { structure }),
  };
}

function sidEntries(sids: readonly Sid[], locators: NodeLocators): object[] {
  return sids.map((sid) => {
    const { algorithm, structure } = sid;
    const address = parseIpv6(sid.sid);
    const covering = locators.covering(address);
    return {
      sid: sid.sid,
      behavior: sid.behavior,
      ...withoutDefaults(sid, sidAttributes),
      ...(algorithm !== (covering?.algorithm ?? 0) && { algorithm }),
      ...(!sameStructure(structure, structureWithin(address, covering, sid)) && { structure: structure ?? 'opaque' }),
    };
  });
}

/** Links in the short form: what both directions share once, what differs under `forward` and `backward`. */
function linkEntries(links: readonly TedLink[]): object[] {
  const byId = new Map(links.map((link) => [link.id, link]));
  return links.flatMap((link) => {
    const reverse = byId.get(link.reverseId);
    return reverse !== undefined && link.id < reverse.id ? [linkEntry(link, reverse)] : [];
  });
}

function linkEntry(link: TedLink, reverse: TedLink): object {
  const { from, to } = link;
  const there = withoutDefaults(link, linkAttributes);
  const back = withoutDefaults(reverse, linkAttributes);
  const usualIds = link.id === `${from}:${to}` && reverse.id === `${to}:${from}`;
  const shared = Object.keys(there).filter(
    (name) => name !== 'interfaceAddresses' && JSON.stringify(there[name]) === JSON.stringify(back[name]),
  );
  const forward = { ...(!usualIds && { id: link.id }), ...without(there, shared) };
  const backward = { ...(!usualIds && { id: reverse.id }), ...without(back, shared) };
  return {
    between: [from, to],
    ...Object.fromEntries(shared.map((name) => [name, there[name]])),
    ...(Object.keys(forward).length > 0 && { forward }),
    ...(Object.keys(backward).length > 0 && { backward }),
  };
}

type Attributes = Readonly<Record<string, unknown>>;

function without(attributes: Attributes, names: readonly string[]): Attributes {
  return Object.fromEntries(Object.entries(attributes).filter(([name]) => !names.includes(name)));
}

/** The attributes that differ from their defaults; lists are defaults when empty. */
function withoutDefaults(attributes: object, defaults: readonly (readonly [string, unknown])[]): Attributes {
  const values: Attributes = { ...attributes };
  const isDefault = (value: unknown, usual: unknown): boolean =>
    value === usual || (Array.isArray(value) && value.length === 0);
  return Object.fromEntries(
    defaults.filter(([name, usual]) => !isDefault(values[name], usual)).map(([name]) => [name, values[name]]),
  );
}

function withoutNulls(settings: object): object {
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== null && value !== undefined));
}
