import { parseDecimal } from '../decimal-text.js';
import { fibreDelayUs, type Coordinates } from '../great-circle.js';
import { LinkIds } from '../link-ids.js';
import { nodeIdsFromLabels } from '../node-slug.js';
import type { DocumentLink, DocumentNode, TopologyDocument } from '../topology-document.js';
import { maxReportedProblems, TopologyFormatError } from '../topology-format-error.js';
import { graphmlError, readGraphmlElements, type GraphmlElement } from './graphml-elements.js';
import { dissolveSharedMedia, type Edge } from './shared-media.js';

/**
 * Reads GraphML as the Internet Topology Zoo writes it; docs/topology-format.md says what becomes of which key. Throws
 * TopologyFormatError, and nothing else.
 */
export function readGraphml(text: string): TopologyDocument {
  const file = readGraphmlElements(text.startsWith('\ufeff') ? text.slice(1) : text);
  return new GraphmlReader(text).document(file.nodes, file.edges);
}

interface ZooNode {
  readonly key: string;
  readonly label: string;
  /** A medium that joins more than two nodes, drawn as a node. */
  readonly isSharedMedium: boolean;
  /** Of another network (Internal = 0). */
  readonly isExternal: boolean;
  readonly coordinates: Coordinates | undefined;
}

class GraphmlReader {
  readonly #text: string;
  readonly #errors: TopologyFormatError[] = [];

  constructor(text: string) {
    this.#text = text;
  }

  document(nodeElements: readonly GraphmlElement[], edgeElements: readonly GraphmlElement[]): TopologyDocument {
    const nodes = this.#nodes(nodeElements);
    const edges = edgeElements.flatMap((element) => this.#edge(element, nodes));
    const [first, ...others] = this.#errors.sort(
      (a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0),
    );
    if (first !== undefined) throw new TopologyFormatError(first, ...others);

    const sharedMedia = [...nodes.values()].filter(({ isSharedMedium }) => isSharedMedium).map(({ key }) => key);
    const kept = [...nodes.values()].filter(({ isSharedMedium }) => !isSharedMedium);
    const ids = nodeIdsFromLabels(kept);
    // A link between two nodes outside is no concern of this network.
    const links = dissolveSharedMedia(edges, sharedMedia).filter(({ ends }) =>
      ends.some((end) => nodes.get(end)?.isExternal === false),
    );
    return {
      nodes: kept.map((node) => documentNode(node, ids.get(node.key) ?? node.key)),
      links: documentLinks(links, nodes, ids),
      sidPlan: null,
    };
  }

  #nodes(elements: readonly GraphmlElement[]): ReadonlyMap<string, ZooNode> {
    const nodes = new Map<string, ZooNode>();
    for (const element of elements) {
      const key = element.attributes.id ?? '';
      if (nodes.has(key)) this.#report(element, 'node', `there is more than one node with the id "${key}"`);
      const latitude = this.#number(element, 'Latitude', -90, 90);
      const longitude = this.#number(element, 'Longitude', -180, 180);
      const label = element.data.get('label') ?? '';
      nodes.set(key, {
        key,
        // The Zoo's tools write None for a label that nobody gave.
        label: label === 'None' ? '' : label,
        isSharedMedium: element.data.get('hyperedge') === '1',
        isExternal: element.data.get('Internal') === '0',
        coordinates: latitude === undefined || longitude === undefined ? undefined : { latitude, longitude },
      });
    }
    return nodes;
  }

  /** Empty: nothing to import. */
  #edge(element: GraphmlElement, nodes: ReadonlyMap<string, ZooNode>): Edge[] {
    const { source = '', target = '' } = element.attributes;
    for (const end of [source, target]) {
      if (!nodes.has(end)) this.#report(element, 'edge', `there is no node with the id "${end}"`);
    }
    const speed = this.#number(element, 'LinkSpeedRaw', 0, Number.MAX_SAFE_INTEGER);
    if (source === target) return [];
    return [{ ends: [source, target], bandwidthBps: speed === undefined || speed === 0 ? null : Math.round(speed) }];
  }

  #number(element: GraphmlElement, name: string, min: number, max: number): number | undefined {
    const value = element.data.get(name);
    if (value === undefined || value === '') return undefined;
    const number = parseDecimal(value);
    if (number >= min && number <= max) return number;
    this.#report(element, name, `expected a number from ${min} to ${max}, not "${value.slice(0, 80)}"`);
    return undefined;
  }

  #report(element: GraphmlElement, field: string, message: string): void {
    if (this.#errors.length < maxReportedProblems) {
      this.#errors.push(graphmlError(this.#text, element.offset, field, message));
    }
  }
}

function documentNode({ label, isExternal, coordinates }: ZooNode, id: string): DocumentNode {
  const name = label.replaceAll(/[\p{Cc}\p{Cs}]+/gu, ' ').slice(0, 200);
  return { id, kind: isExternal ? 'host' : 'router', ...(name !== '' && { name }), ...coordinates };
}

function documentLinks(
  edges: readonly Edge[],
  nodes: ReadonlyMap<string, ZooNode>,
  ids: ReadonlyMap<string, string>,
): DocumentLink[] {
  const linkIds = new LinkIds();
  return edges.flatMap(({ ends: [source, target], bandwidthBps }) => {
    const [from, to] = [ids.get(source) ?? source, ids.get(target) ?? target];
    const [forward, backward] = linkIds.pair(from, to);
    const [a, b] = [nodes.get(source)?.coordinates, nodes.get(target)?.coordinates];
    const attributes = {
      ...(a && b && { delayUs: fibreDelayUs(a, b) }),
      ...(bandwidthBps !== null && { bandwidthBps }),
    };
    return [
      { id: forward, from, to, reverseId: backward, ...attributes },
      { id: backward, from: to, to: from, reverseId: forward, ...attributes },
    ];
  });
}
