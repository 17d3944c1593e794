import { canonicalIpv6, type EncapMode, type EndpointBehavior, type NodeId } from '@waymark/topology';
import type { Database } from '../storage/database.js';
import { NothingChanged, withRevision } from '../storage/revision.js';
import { nodeAttributes } from './attributes.js';
import { diffRows, setAttributes } from './diff-rows.js';
import { isSaidBy } from './document-rows.js';
import type { LayeredTed } from './layered-ted.js';
import { writeSource } from './source-table.js';
import type { CurrentTed, TedCache } from './ted-cache.js';
import { isEmpty, noRows, type NodeAttributes, type TedChange } from './ted-rows.js';
import { writeRows } from './write-rows.js';

/** Largest MSD that the data model holds; no data plane pushes more SRH entries. */
const MAX_MSD = 64;

/** What a node agent knows of its data plane. */
export interface AgentCapabilities {
  /** SRH entries; null: not known. */
  readonly msdHEncaps: number | null;
  readonly encapMode: EncapMode | null;
  /** SIDs that the agent itself keeps in the data plane. */
  readonly ownedSids: readonly { readonly sid: string; readonly behavior: EndpointBehavior }[];
}

/**
 * Writes what an agent says in the discovered layer, as source `agent:<node>`. False when it said so before: agents say
 * it again whenever they connect. End.X SIDs are left out, for an agent does not say which link they cross.
 */
export async function recordAgentCapabilities(
  db: Database,
  cache: TedCache,
  current: CurrentTed,
  { node, capabilities, now }: { readonly node: NodeId; readonly capabilities: AgentCapabilities; readonly now: Date },
): Promise<boolean> {
  const source = `agent:${node}`;
  if (isEmpty(agentChange(current.layered, source, node, capabilities, current.revision + 1))) return false;
  const header = {
    actor: source,
    kind: 'agent-capabilities',
    summary: `The agent of ${node} described its data plane`,
    ted: true,
  };
  const outcome = await withRevision(db, header, async (tx, revision, tedRevision) => {
    const { layered } = await cache.before(tx, { revision: revision - 1, tedRevision: tedRevision - 1 });
    const change = agentChange(layered, source, node, capabilities, revision);
    if (isEmpty(change)) throw new NothingChanged(undefined);
    await writeRows(tx, revision, change);
    await writeSource(tx, source, 'agent', { updated_at: now });
  });
  return outcome.changed;
}

function agentChange(
  layered: LayeredTed,
  source: string,
  node: NodeId,
  { msdHEncaps, encapMode, ownedSids }: AgentCapabilities,
  revision: number,
): TedChange {
  const row = { layer: 'discovered', source, fromRevision: revision, toRevision: null } as const;
  const attributes = setAttributes<NodeAttributes>(nodeAttributes, {
    msdHEncaps: msdHEncaps === null ? null : Math.min(msdHEncaps, MAX_MSD),
    encapMode,
  });
  const sids = new Map(
    ownedSids
      .filter(({ behavior }) => behavior !== 'End.X')
      .map(({ sid, behavior }) => [canonicalIpv6(sid), behavior] as const),
  );
  const isSaid = isSaidBy(source);
  const said = { nodes: layered.nodeRowsOf(node).filter(isSaid), sids: layered.sidRowsOf(node).filter(isSaid) };
  return diffRows(
    { ...noRows, ...said },
    {
      ...noRows,
      nodes: Object.keys(attributes).length === 0 ? [] : [{ ...row, id: node, attributes, since: {} }],
      sids: [...sids].map(([sid, behavior]) => ({
        ...row,
        node,
        sid: {
          sid,
          behavior,
          flavors: [],
          algorithm: 0,
          protected: false,
          linkId: null,
          structure: null,
          origin: 'agent',
        },
      })),
    },
  );
}
