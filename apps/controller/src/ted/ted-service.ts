import type { NodeId, Ted } from '@waymark/topology';
import { serializeTopology } from '@waymark/topology-formats';
import type { Transaction } from 'kysely';
import { Problem } from '../model/errors.js';
import { afterCommit } from '../model/outage.js';
import type { ChangeFilter, LinkConstraintFilter, LinkFilter, NodeFilter, SourceFilter } from '../model/filters.js';
import type { Page, PageRequest, TopologyService } from '../model/ports.js';
import type {
  Actor,
  ClusterHost,
  ClusterHostsResult,
  ImportResult,
  LinkConstraints,
  LinkSettings,
  LinkView,
  NodeConstraints,
  NodeView,
  OperatorSettings,
  SourceBatch,
  SourceBatchResult,
  SourceView,
  TopologyHead,
} from '../model/topology.js';
import { recordAudit } from '../storage/audit.js';
import type { Database, Tables } from '../storage/database.js';
import { ownersOf } from '../storage/owners.js';
import { RevisionListener } from '../storage/revision-listener.js';
import { NothingChanged, withRevision, type RevisionNumbers } from '../storage/revision.js';
import { newAffinities, registerAffinities } from '../storage/affinity-registry.js';
import { confirmPlannedSids } from './confirm-sids.js';
import { change, changes, tedAt, tedAtRevision } from './history.js';
import { assignedBlocks } from './binding-sid-claims.js';
import { planImport, type PlannedImport } from './import-topology.js';
import type { LayeredTed, RowOrigin } from './layered-ted.js';
import { linkSettings, nodeSettings, operatorRow } from './operator-settings.js';
import { readDocument } from './read-document.js';
import { setLinkConstraints, setNodeConstraints } from './set-constraints.js';
import { inSlices } from './slices.js';
import { requireSourceKind, sourceById, sources, writeSource } from './source-table.js';
import { TedCache, type CurrentTed } from './ted-cache.js';
import { compareText } from './ted-rows.js';
import { linkView, matchesConstraints, matchesLink, matchesNode, nodeView, pageOf } from './views.js';
import { writeRows } from './write-rows.js';
import { foreignSids, recordAgentCapabilities, type AgentStatement, type ForeignSid } from './agent-capabilities.js';
import { applyClusterHosts, statedHosts } from './cluster-hosts.js';
import { applySourceBatch } from './apply-source-batch.js';
import { releaseSource } from './release-source.js';
import { withdrawAgent, type RemoveAgent } from './withdraw-agent.js';

export interface TedServiceOptions {
  readonly db: Database;
  /** Of the same database, for the session that listens. */
  readonly url: string;
  readonly clock: () => Date;
}

/**
 * The TED: what sources and operators say of the network, in layers and revisions, and the values in force.
 *
 *   files, events, agents ──► rows of layers ──► effective TED (in memory, moved forward row by row)
 *   operators ─────────────►  (Postgres)    ──► any past revision (read back from the validity ranges)
 */
export class TedService implements TopologyService {
  readonly #db: Database;
  readonly #clock: () => Date;
  readonly #cache: TedCache;
  readonly #listener: RevisionListener;
  readonly #subscribers = new Set<(numbers: RevisionNumbers) => void>();
  #started = false;
  /** Newest revision that the listener told of. */
  #told = 0;

  constructor({ db, url, clock }: TedServiceOptions) {
    this.#db = db;
    this.#clock = clock;
    this.#cache = new TedCache(db);
    this.#listener = new RevisionListener(url, db);
    this.#listener.onRevision((numbers) => void this.#follow(numbers));
  }

  /** Loads the TED and follows it. Before this, every read asks the database what is new. */
  async start(): Promise<void> {
    await this.#listener.start();
    await this.#cache.refresh();
    this.#started = true;
  }

  async stop(): Promise<void> {
    this.#started = false;
    await this.#listener.stop();
  }

  /** The newest revision that is in memory. */
  get seenRevision(): number {
    return this.#cache.current?.revision ?? 0;
  }

  onRevision(listener: (numbers: RevisionNumbers) => void): () => void {
    this.#subscribers.add(listener);
    return () => this.#subscribers.delete(listener);
  }

  async head(): Promise<TopologyHead> {
    const head = await this.#db.selectFrom('head').selectAll().executeTakeFirstOrThrow();
    const { ted } = await this.#current();
    const routers = ted.nodes.filter((node) => node.kind === 'router').length;
    return {
      instance: head.instance,
      revision: head.revision,
      tedRevision: head.ted_revision,
      computedThrough: head.computed_through,
      nodes: ted.nodes.length,
      routers,
      hosts: ted.nodes.length - routers,
      links: ted.links.length,
    };
  }

  async ted(tedRevision?: number): Promise<Ted> {
    const { ted } = await this.#current();
    if (tedRevision === undefined || tedRevision === ted.revision) return ted;
    return (await tedAt(this.#db, tedRevision)).layered.ted(tedRevision);
  }

  /** The TED of the head that `tx` has locked, read through `tx`. */
  async tedAtHead(tx: Transaction<Tables>, head: RevisionNumbers): Promise<Ted> {
    return (await this.#cache.before(tx, head)).ted;
  }

  async tedAtRevision(revision: number): Promise<Ted> {
    const current = await this.#current();
    if (revision === current.revision) return current.ted;
    const past = await tedAtRevision(this.#db, revision);
    return past.tedRevision === current.tedRevision ? current.ted : past.layered.ted(past.tedRevision);
  }

  async importTopology({
    text,
    format,
    source,
    actor,
    dryRun,
  }: Parameters<TopologyService['importTopology']>[0]): Promise<ImportResult> {
    const document = await readDocument({ text, format });
    // Planned before the head is locked, so that others need not wait, and again only if it has moved until then.
    const current = await this.#cache.refresh();
    await requireSourceKind(this.#db, source, 'file');
    const blocks = await assignedBlocks(this.#db);
    const plan = (before: CurrentTed) => inSlices(planImport(document, source, before, before.revision + 1, blocks));
    const expected = await plan(current);
    await newAffinities(this.#db, expected.affinities);
    if (dryRun === true || !expected.result.changed) return { revision: current.revision, ...expected.result };
    const header = {
      actor: actor.name,
      kind: 'topology-import',
      summary: ({ result }: PlannedImport) => summaryOf(source, result),
      ted: true,
    };
    const outcome = await withRevision(this.#db, header, async (tx, revision, tedRevision) => {
      const before = await this.#cache.before(tx, { revision: revision - 1, tedRevision: tedRevision - 1 });
      await requireSourceKind(tx, source, 'file');
      const planned = before.revision === current.revision ? expected : await plan(before);
      if (!planned.result.changed) throw new NothingChanged(planned);
      await registerAffinities(tx, planned.affinities);
      await writeRows(tx, revision, planned.change);
      await writeSource(tx, source, 'file', { updated_at: this.#clock() });
      const audited = { entity: 'source', id: source, before: null, after: planned.result } as const;
      await recordAudit(tx, { revision, actor, kind: header.kind }, [audited]);
      return planned;
    });
    const { change: rows, result } = outcome.result;
    if (outcome.changed) await afterCommit(this.#cache.advance(rows, outcome));
    await afterCommit(this.#cache.refresh());
    return { revision: outcome.revision, ...result };
  }

  async exportTopology({
    revision,
    operatorSettings,
    syntax,
  }: Parameters<TopologyService['exportTopology']>[0]): Promise<string> {
    const current = await this.#current();
    const isPast = revision !== undefined && revision !== current.revision;
    const { layered, tedRevision } = isPast ? await tedAtRevision(this.#db, revision) : current;
    const discovered = layered.discoveredOnly().ted(tedRevision);
    if (operatorSettings !== true) return serializeTopology(discovered, syntax);
    return serializeTopology(discovered, syntax, settingsForExport(layered));
  }

  async nodes(filter: NodeFilter, page: PageRequest): Promise<Page<NodeView>> {
    const { ted, layered } = await this.#current();
    const { items, next } = pageOf(ted.nodes, (node) => matchesNode(node, filter), page);
    return { items: items.map(({ id }) => nodeView(layered, id)).filter((view) => view !== undefined), next };
  }

  async node(id: NodeId): Promise<NodeView> {
    return nodeView((await this.#current()).layered, id) ?? notFound('node', id);
  }

  async links(filter: LinkFilter, page: PageRequest): Promise<Page<LinkView>> {
    const { ted, layered } = await this.#current();
    const { items, next } = pageOf(ted.links, (link) => matchesLink(link, filter), page);
    return { items: items.map(({ id }) => linkView(layered, id)).filter((view) => view !== undefined), next };
  }

  async link(id: string): Promise<LinkView> {
    return linkView((await this.#current()).layered, id) ?? notFound('link', id);
  }

  async linkConstraints(id: string): Promise<LinkSettings> {
    const { layered } = await this.#current();
    const row = operatorRow(layered.linkRowsOf(id));
    if (row === undefined && layered.link(id) === undefined) return notFound('link', id);
    const [settings] = await withOwners(this.#db, [linkSettings(id, row)]);
    return settings ?? notFound('link', id);
  }

  async allLinkConstraints(filter: LinkConstraintFilter, page: PageRequest): Promise<Page<LinkSettings>> {
    const { layered } = await this.#current();
    const matches = (settings: OperatorSettings<LinkConstraints>) =>
      matchesConstraints(settings, layered.link(settings.id), filter);
    const { items, next } = pageOf(operatorLinks(layered), matches, page);
    return { items: await withOwners(this.#db, items), next };
  }

  async setLinkConstraints(
    input: Parameters<TopologyService['setLinkConstraints']>[0],
  ): Promise<{ readonly revision: number; readonly settings: readonly LinkSettings[] }> {
    const outcome = await setLinkConstraints(this.#db, this.#cache, input);
    await afterCommit(this.#cache.refresh());
    return { revision: outcome.revision, settings: await afterCommit(withOwners(this.#db, outcome.result)) };
  }

  async nodeConstraints(id: NodeId): Promise<OperatorSettings<NodeConstraints>> {
    const { layered } = await this.#current();
    const row = operatorRow(layered.nodeRowsOf(id));
    if (row === undefined && layered.node(id) === undefined) return notFound('node', id);
    return nodeSettings(id, row);
  }

  async setNodeConstraints(
    input: Parameters<TopologyService['setNodeConstraints']>[0],
  ): Promise<OperatorSettings<NodeConstraints>> {
    const outcome = await setNodeConstraints(this.#db, this.#cache, input);
    await afterCommit(this.#cache.refresh());
    return outcome.result;
  }

  async confirmPlannedSids(nodes: readonly NodeId[] | 'all', actor: Actor) {
    const confirmation = await confirmPlannedSids(this.#db, this.#cache, nodes, actor);
    await afterCommit(this.#cache.refresh());
    return confirmation;
  }

  changes(filter: ChangeFilter, page: PageRequest) {
    return changes(this.#db, filter, page);
  }

  change(revision: number) {
    return change(this.#db, revision);
  }

  sources(filter: SourceFilter, page: PageRequest): Promise<Page<SourceView>> {
    return sources(this.#db, filter, page);
  }

  source(id: string): Promise<SourceView> {
    return sourceById(this.#db, id);
  }

  async applySourceBatch(id: string, batch: SourceBatch, actor: Actor): Promise<SourceBatchResult> {
    const result = await applySourceBatch(this.#db, this.#cache, { id, batch, actor, now: this.#clock() });
    await afterCommit(this.#cache.refresh());
    return result;
  }

  async applyClusterHosts(cluster: string, hosts: readonly ClusterHost[], actor: Actor): Promise<ClusterHostsResult> {
    const source = `kubernetes:${cluster}`;
    const result = await applyClusterHosts(this.#db, this.#cache, { source, hosts, actor, now: this.#clock() });
    await afterCommit(this.#cache.refresh());
    return result;
  }

  async clusterHosts(cluster: string): Promise<readonly ClusterHost[]> {
    return statedHosts((await this.#current()).layered, `kubernetes:${cluster}`);
  }

  async releaseSource(id: string, decision: 'apply' | 'discard', actor: Actor): Promise<SourceView> {
    await releaseSource(this.#db, this.#cache, { id, decision, actor, now: this.#clock() });
    await afterCommit(this.#cache.refresh());
    return afterCommit(sourceById(this.#db, id));
  }

  /** What node agents say of their data planes when they connect. Writes only what is new, in one revision. */
  async recordAgentCapabilities(statements: readonly AgentStatement[]): Promise<void> {
    const current = await this.#current();
    const changed = await recordAgentCapabilities(this.#db, this.#cache, current, { statements, now: this.#clock() });
    if (changed) await this.#cache.refresh();
  }

  /** SIDs that these agents do not get, because other nodes have them. */
  async foreignSids(statements: readonly AgentStatement[]): Promise<readonly ForeignSid[]> {
    if (!statements.some(({ capabilities }) => capabilities.ownedSids.length > 0)) return [];
    return foreignSids((await this.#current()).layered, statements);
  }

  /** `remove` takes away the rest of the agent in the same transaction. */
  async withdrawAgent(node: NodeId, actor: Actor, remove: RemoveAgent): Promise<void> {
    await withdrawAgent(this.#db, this.#cache, { node, actor, remove });
    await afterCommit(this.#cache.refresh());
  }

  async #current(): Promise<CurrentTed> {
    const current = this.#cache.current;
    const isNewest = this.#started && this.#listener.isListening && current !== undefined;
    return isNewest && current.revision >= this.#told ? current : this.#cache.refresh();
  }

  async #follow(numbers: RevisionNumbers): Promise<void> {
    this.#told = numbers.revision;
    // Subscribers find the TED of that revision in memory. When the database is out of reach, the next reader tries again.
    await this.#cache.refresh().catch(() => undefined);
    for (const subscriber of this.#subscribers) subscriber(numbers);
  }
}

function notFound(what: string, id: string): never {
  throw new Problem('not-found', { detail: `there is no ${what} "${id}"` });
}

async function withOwners(
  db: Database,
  settings: readonly OperatorSettings<LinkConstraints>[],
): Promise<readonly LinkSettings[]> {
  const owners = await ownersOf(
    db,
    'link-constraints',
    settings.map(({ id }) => id),
  );
  return settings.map((one) => ({ ...one, owner: owners.get(one.id) ?? null }));
}

const isOperators = (row: RowOrigin): boolean => row.layer === 'operator';

function operatorLinks(layered: LayeredTed): readonly OperatorSettings<LinkConstraints>[] {
  return layered
    .rowsWhere(isOperators)
    .links.map((row) => linkSettings(row.id, row))
    .sort((a, b) => compareText(a.id, b.id));
}

function settingsForExport(layered: LayeredTed) {
  const nodes = layered.rowsWhere(isOperators).nodes.toSorted((a, b) => compareText(a.id, b.id));
  return {
    nodes: nodes.map(({ id, attributes }) => ({ id, ...attributes })),
    links: operatorLinks(layered).map(({ id, constraints }) => ({ id, ...constraints })),
  };
}

function summaryOf(source: string, { nodes, links }: Omit<ImportResult, 'revision'>): string {
  const counts = ({ added, changed, removed }: ImportResult['nodes']): string => `+${added} ~${changed} -${removed}`;
  return `Import of ${source}: nodes ${counts(nodes)}, links ${counts(links)}`;
}
