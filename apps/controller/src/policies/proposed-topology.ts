import { advertisedOf, withAdvertised, type Ted, type TedLink, type TedNode } from '@waymark/topology';
import { Problem } from '../model/errors.js';
import type { ProposedChange, TopologyService } from '../model/ports.js';
import type { LayerView, LinkConstraints, NodeConstraints } from '../model/topology.js';

type MsdName = 'msdHEncaps' | 'msdSegmentsLeft' | 'msdEndPop' | 'msdEndD';

export type ProposedTopologyChange = Exclude<ProposedChange, { readonly kind: `policy-${string}` | `mesh-${string}` }>;

export function changesTopology(change: ProposedChange): change is ProposedTopologyChange {
  return !change.kind.startsWith('policy-') && !change.kind.startsWith('mesh-');
}

/**
 * The TED as it would be after these changes. A cleared constraint (null) gives way to what the other layers say. Throws
 * Problem `link-unknown` or `node-unknown`, naming the change.
 */
export async function proposedTed(
  ted: Ted,
  changes: readonly { readonly index: number; readonly change: ProposedTopologyChange }[],
  layers: Pick<TopologyService, 'link' | 'node'>,
): Promise<Ted> {
  if (changes.length === 0) return ted;
  const links = new Map(ted.links.map((link) => [link.id, link]));
  const nodes = new Map(ted.nodes.map((node) => [node.id, node]));
  const linkOf = (id: string, index: number): TedLink => {
    const link = links.get(id);
    if (link !== undefined) return link;
    throw new Problem('link-unknown', {
      detail: `link "${id}" is not in the topology`,
      field: `/changes/${index}/link`,
    });
  };
  const nodeOf = (id: string, index: number): TedNode => {
    const node = nodes.get(id);
    if (node !== undefined) return node;
    throw new Problem('node-unknown', {
      detail: `node "${id}" is not in the topology`,
      field: `/changes/${index}/node`,
    });
  };
  for (const { index, change } of changes) {
    switch (change.kind) {
      case 'link-state': {
        const link = linkOf(change.link, index);
        links.set(link.id, { ...link, operationalState: change.state });
        break;
      }
      case 'node-state': {
        const node = nodeOf(change.node, index);
        nodes.set(node.id, { ...node, operationalState: change.state });
        break;
      }
      case 'link-constraints': {
        const link = linkOf(change.link, index);
        const set = await effectiveSettings(change.constraints, async () => (await layers.link(link.id)).layers);
        links.set(link.id, withAdvertised({ ...link, ...set }, advertisedOf(link)));
        break;
      }
      case 'node-constraints': {
        const node = nodeOf(change.node, index);
        const set = await effectiveSettings(change.constraints, async () => (await layers.node(node.id)).layers);
        nodes.set(node.id, { ...node, ...set, ...smallerMsds(node, set) });
        break;
      }
    }
  }
  // A new object, and so a snapshot of its own; the revision is the one it departs from.
  return { revision: ted.revision, nodes: [...nodes.values()], links: [...links.values()] };
}

/** A limit is the minimum over all layers: an operator can lower it, not raise it. */
function smallerMsds(node: TedNode, set: NodeConstraints): Pick<TedNode, MsdName> {
  const smaller = (name: MsdName): number | null => {
    const known = [node[name], set[name]].filter((value) => typeof value === 'number');
    return known.length === 0 ? null : Math.min(...known);
  };
  return {
    msdHEncaps: smaller('msdHEncaps'),
    msdSegmentsLeft: smaller('msdSegmentsLeft'),
    msdEndPop: smaller('msdEndPop'),
    msdEndD: smaller('msdEndD'),
  };
}

/** What the constraints make of the attributes they name; null in `constraints` stands for the layers below. */
async function effectiveSettings<Attributes>(
  constraints: LinkConstraints | NodeConstraints,
  readLayers: () => Promise<readonly LayerView<Attributes>[]>,
): Promise<Partial<Attributes>> {
  const named = Object.entries(constraints).filter(([, value]) => value !== undefined);
  const isClearing = named.some(([, value]) => value === null);
  const below = isClearing ? await readLayers() : [];
  const settings = named.map(([name, value]) => [name, value ?? valueBelow(below, name as keyof Attributes)] as const);
  return Object.fromEntries(settings) as Partial<Attributes>;
}

/** Measured before discovered, newest first. Nothing set: unknown, which for an admin state is `up`, for sets is empty. */
function valueBelow<Attributes>(layers: readonly LayerView<Attributes>[], name: keyof Attributes): unknown {
  for (const layer of ['measured', 'discovered'] as const) {
    const setting = layers
      .filter((view) => view.layer === layer && view.attributes[name] !== undefined)
      .sort((a, b) => b.revision - a.revision)[0];
    if (setting !== undefined) return setting.attributes[name];
  }
  if (name === 'adminState') return 'up';
  return name === 'affinities' || name === 'srlgs' ? [] : null;
}
