import type { Transaction } from 'kysely';
import { Problem } from '../model/errors.js';
import type { AuditedChange } from '../model/audit.js';
import type { TopologyService } from '../model/ports.js';
import type { LinkConstraints, NodeConstraints, OperatorSettings } from '../model/topology.js';
import { recordAudit } from '../storage/audit.js';
import type { Database, Tables } from '../storage/database.js';
import { releaseOwnership, requireOwner, takeOwnership } from '../storage/owners.js';
import { NothingChanged, withRevision, type RevisionOutcome } from '../storage/revision.js';
import { registerAffinities } from '../storage/affinity-registry.js';
import { diffRows } from './diff-rows.js';
import {
  linkSettings,
  nextLinkRow,
  nextNodeRow,
  nodeSettings,
  operatorRow,
  requireVersion,
} from './operator-settings.js';
import type { TedCache } from './ted-cache.js';
import { isEmpty, noRows, type LayerRow, type LinkRow } from './ted-rows.js';
import { writeRows } from './write-rows.js';

type LinkChanges = Parameters<TopologyService['setLinkConstraints']>[0];
type NodeChange = Parameters<TopologyService['setNodeConstraints']>[0];

/** All links or none. Throws `link-unknown`, `precondition-failed`, `request-invalid` (a link named twice), `affinity-overflow`. */
export async function setLinkConstraints(
  db: Database,
  cache: TedCache,
  { changes, mode, actor }: LinkChanges,
): Promise<RevisionOutcome<readonly OperatorSettings<LinkConstraints>[]>> {
  refuseRepeatedLinks(changes);
  const [first] = changes;
  const summary =
    changes.length === 1 && first !== undefined
      ? `Constraints of link ${first.link}: ${describe(first.constraints)}`
      : `Constraints of ${changes.length} links`;
  const header = { actor: actor.name, kind: 'link-constraints', summary, ted: true };
  return withRevision(db, header, async (tx, revision, tedRevision) => {
    const before = await cache.before(tx, { revision: revision - 1, tedRevision: tedRevision - 1 });
    const current: LinkRow[] = [];
    const desired: LinkRow[] = [];
    for (const [index, { link, constraints, ifVersion }] of changes.entries()) {
      const row = operatorRow(before.layered.linkRowsOf(link));
      if (row === undefined && before.layered.link(link) === undefined) {
        throw new Problem('link-unknown', {
          detail: `link "${link}" is not in the topology`,
          field: `/changes/${index}/link`,
        });
      }
      requireVersion(linkSettings(link, row), ifVersion, `/changes/${index}/ifVersion`);
      const next = nextLinkRow(link, row, constraints, mode, revision);
      if (row !== undefined) current.push(row);
      if (next !== undefined) desired.push(next);
    }
    await requireOwner(tx, 'link-constraints', idsOf(current), actor);
    const change = diffRows({ ...noRows, links: current }, { ...noRows, links: desired });
    const settingsAfter = settingsBy(changes, current, change.closed.links, change.opened.links);
    if (isEmpty(change)) throw new NothingChanged(settingsAfter);
    await registerAffinities(
      tx,
      change.opened.links.flatMap((row) => row.attributes.affinities ?? []),
    );
    await writeRows(tx, revision, change);
    const set = new Set(idsOf(desired));
    await takeOwnership(tx, 'link-constraints', [...set], actor);
    const cleared = idsOf(current).filter((id) => !set.has(id));
    await releaseOwnership(tx, 'link-constraints', cleared);
    const { closed, opened } = change;
    const audited = auditedChanges('link-constraints', closed.links, opened.links);
    await recordAudit(tx, { revision, actor, kind: header.kind }, audited);
    return settingsAfter;
  });
}

/** Throws `not-found` and `precondition-failed`. */
export async function setNodeConstraints(
  db: Database,
  cache: TedCache,
  { node, constraints, mode, ifVersion, actor }: NodeChange,
): Promise<RevisionOutcome<OperatorSettings<NodeConstraints>>> {
  const summary = `Constraints of node ${node}: ${describe(constraints)}`;
  const header = { actor: actor.name, kind: 'node-constraints', summary, ted: true };
  return withRevision(db, header, async (tx: Transaction<Tables>, revision, tedRevision) => {
    const before = await cache.before(tx, { revision: revision - 1, tedRevision: tedRevision - 1 });
    const row = operatorRow(before.layered.nodeRowsOf(node));
    if (row === undefined && before.layered.node(node) === undefined) {
      throw new Problem('not-found', { detail: `node "${node}" is not in the topology` });
    }
    requireVersion(nodeSettings(node, row), ifVersion, 'If-Match');
    const next = nextNodeRow(node, row, constraints, mode, revision);
    const change = diffRows(
      { ...noRows, nodes: row === undefined ? [] : [row] },
      { ...noRows, nodes: next === undefined ? [] : [next] },
    );
    if (isEmpty(change)) throw new NothingChanged(nodeSettings(node, row));
    await writeRows(tx, revision, change);
    const audited = auditedChanges('node-constraints', change.closed.nodes, change.opened.nodes);
    await recordAudit(tx, { revision, actor, kind: header.kind }, audited);
    return nodeSettings(node, change.opened.nodes[0]);
  });
}

/** What was set and what is, of each of which that differs. */
function auditedChanges(
  entity: AuditedChange['entity'],
  closed: readonly LayerRow<object>[],
  opened: readonly LayerRow<object>[],
): readonly AuditedChange[] {
  const [before, after] = [closed, opened].map((rows) => new Map(rows.map(({ id, attributes }) => [id, attributes])));
  const ids = new Set([...closed, ...opened].map(({ id }) => id));
  return [...ids].map((id) => ({ entity, id, before: before?.get(id) ?? null, after: after?.get(id) ?? null }));
}

function idsOf(rows: readonly LinkRow[]): readonly string[] {
  return rows.map(({ id }) => id);
}

function refuseRepeatedLinks(changes: LinkChanges['changes']): void {
  const seen = new Set<string>();
  for (const [index, { link }] of changes.entries()) {
    if (seen.has(link)) {
      throw new Problem('request-invalid', {
        detail: `link "${link}" is named more than once`,
        field: `/changes/${index}/link`,
      });
    }
    seen.add(link);
  }
}

function settingsBy(
  changes: LinkChanges['changes'],
  current: readonly LinkRow[],
  closed: readonly LinkRow[],
  opened: readonly LinkRow[],
): readonly OperatorSettings<LinkConstraints>[] {
  const rows = new Map(current.map((row) => [row.id, row]));
  for (const { id } of closed) rows.delete(id);
  for (const row of opened) rows.set(row.id, row);
  return changes.map(({ link }) => linkSettings(link, rows.get(link)));
}

/** `adminState drained, delayUs cleared` */
function describe(constraints: LinkConstraints | NodeConstraints): string {
  const parts = Object.entries(constraints)
    .filter(([, value]) => value !== undefined)
    .map(
      ([name, value]) =>
        `${name} ${value === null ? 'cleared' : Array.isArray(value) ? value.join(' ') : String(value)}`,
    );
  return parts.length === 0 ? 'none' : parts.join(', ');
}
