import { canonicalIpv6, type EncapMode, type EndpointBehavior, type NodeId } from '@waymark/topology';
import type { Database } from '../storage/database.js';
import { NothingChanged, withRevision } from '../storage/revision.js';
import { nodeAttributes } from './attributes.js';
import { diffRows, setAttributes } from './diff-rows.js';
import { isSaidBy } from './document-rows.js';
import type { LayeredTed } from './layered-ted.js';
import { writeSources } from './source-table.js';
import type { CurrentTed, TedCache } from './ted-cache.js';
import { isEmpty, noRows, type NodeAttributes, type TedChange, type TedRows } from './ted-rows.js';
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

/** What the agent of a node says. */
export interface AgentStatement {
  readonly node: NodeId;
  readonly capabilities: AgentCapabilities;
}

/**
 * Writes what agents say in the discovered layer, each as source `agent:<node>`, all in one revision. False when they said so
 * before: agents say it again whenever they connect. End.X SIDs are left out, for an agent does not say which link they
 * cross; so are SIDs that another node has by what any other source says, for an agent speaks of its own node.
 */
export async function recordAgentCapabilities(
  db: Database,
  cache: TedCache,
  current: CurrentTed,
  { statements, now }: { readonly statements: readonly AgentStatement[]; readonly now: Date },
): Promise<boolean> {
  const hasSids = statements.some(({ capabilities }) => capabilities.ownedSids.length > 0);
  const ownersIn = (layered: LayeredTed): Owners => (hasSids ? ownersOf(layered, statements) : new Map());
  const isNews = ({ layered }: CurrentTed, revision: number) => {
    const owners = ownersIn(layered);
    return (statement: AgentStatement) => !isEmpty(agentChange(layered, owners, statement, revision));
  };
  const [first, ...others] = statements.filter(isNews(current, current.revision + 1));
  if (first === undefined) return false;
  const header = {
    kind: 'agent-capabilities',
    ...(others.length === 0
      ? { actor: sourceOf(first), summary: `The agent of ${first.node} described its data plane` }
      : { actor: 'agents', summary: `${others.length + 1} agents described their data planes` }),
    ted: true,
  };
  const outcome = await withRevision(db, header, async (tx, revision, tedRevision) => {
    const before = await cache.before(tx, { revision: revision - 1, tedRevision: tedRevision - 1 });
    const news = statements.filter(isNews(before, revision));
    if (news.length === 0) throw new NothingChanged(undefined);
    const owners = ownersIn(before.layered);
    const changes = news.map((one) => agentChange(before.layered, owners, one, revision));
    await writeRows(tx, revision, together(changes));
    await writeSources(tx, news.map(sourceOf), 'agent', now);
  });
  return outcome.changed;
}

/** A SID that an agent reports and does not get, because another node has it. */
export interface ForeignSid {
  readonly node: NodeId;
  readonly sid: string;
  readonly owner: NodeId;
}

/** What is left out of these statements for the sake of other nodes. */
export function foreignSids(layered: LayeredTed, statements: readonly AgentStatement[]): ForeignSid[] {
  const owners = ownersOf(layered, statements);
  return statements.flatMap(({ node, capabilities: { ownedSids } }) =>
    ownedSids.flatMap((own) => {
      const sid = canonicalIpv6(own.sid);
      const owner = owners.get(sid);
      return owner === undefined || owner === node ? [] : [{ node, sid, owner }];
    }),
  );
}

/** The source of what the agent of a node says. */
export function agentSource(node: NodeId): string {
  return `agent:${node}`;
}

function sourceOf({ node }: AgentStatement): string {
  return agentSource(node);
}

function together(changes: readonly TedChange[]): TedChange {
  const rows = (which: keyof TedChange): TedRows => ({
    nodes: changes.flatMap((change) => change[which].nodes),
    links: changes.flatMap((change) => change[which].links),
    locators: changes.flatMap((change) => change[which].locators),
    sids: changes.flatMap((change) => change[which].sids),
  });
  return { closed: rows('closed'), opened: rows('opened') };
}

/** The node that a SID belongs to. */
type Owners = ReadonlyMap<string, NodeId>;

/** Of what several agents say at once and nobody said before, the first is believed. */
function ownersOf(layered: LayeredTed, statements: readonly AgentStatement[]): Owners {
  const owners = new Map(layered.rowsWhere(() => true).sids.map(({ sid, node }) => [sid.sid, node]));
  for (const { node, capabilities } of statements) {
    for (const { sid } of capabilities.ownedSids) {
      const canonical = canonicalIpv6(sid);
      if (!owners.has(canonical)) owners.set(canonical, node);
    }
  }
  return owners;
}

function agentChange(layered: LayeredTed, owners: Owners, statement: AgentStatement, revision: number): TedChange {
  const {
    node,
    capabilities: { msdHEncaps, encapMode, ownedSids },
  } = statement;
  const source = sourceOf(statement);
  const row = { layer: 'discovered', source, fromRevision: revision, toRevision: null } as const;
  const attributes = setAttributes<NodeAttributes>(nodeAttributes, {
    msdHEncaps: msdHEncaps === null ? null : Math.min(msdHEncaps, MAX_MSD),
    encapMode,
  });
  const sids = new Map(
    ownedSids
      .filter(({ behavior }) => behavior !== 'End.X')
      .map(({ sid, behavior }) => [canonicalIpv6(sid), behavior] as const)
      .filter(([sid]) => owners.get(sid) === node),
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
