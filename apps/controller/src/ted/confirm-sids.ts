import type { NodeId } from '@waymark/topology';
import type { AuditedChange } from '../model/audit.js';
import { Problem } from '../model/errors.js';
import type { Actor, PlannedSidsConfirmation } from '../model/topology.js';
import { recordAudit } from '../storage/audit.js';
import type { Database } from '../storage/database.js';
import { NothingChanged, withRevision } from '../storage/revision.js';
import { effectiveLocators } from './effective-sids.js';
import type { TedCache } from './ted-cache.js';
import { noRows, OPERATOR_SOURCE, type LocatorRow, type SidRow } from './ted-rows.js';
import { writeRows } from './write-rows.js';

/**
 * The operator vouches that the routers have what was planned for them: each planned locator and SID in force is laid
 * over with the same one of origin `operator`, which a re-import does not touch. Throws `node-unknown`.
 */
export async function confirmPlannedSids(
  db: Database,
  cache: TedCache,
  nodes: readonly NodeId[] | 'all',
  actor: Actor,
): Promise<PlannedSidsConfirmation> {
  const header = {
    actor: actor.name,
    kind: 'sids-confirmed',
    summary: ({ locators, sids }: PlannedSidsConfirmation['confirmed']) =>
      `Confirmed ${locators} planned locators and ${sids} planned SIDs`,
    ted: true,
  };
  const outcome = await withRevision(db, header, async (tx, revision, tedRevision) => {
    const { layered, ted } = await cache.before(tx, { revision: revision - 1, tedRevision: tedRevision - 1 });
    const ids = nodes === 'all' ? ted.nodes.map((node) => node.id) : [...new Set(nodes)];
    const row = { layer: 'operator', source: OPERATOR_SOURCE, fromRevision: revision, toRevision: null } as const;
    const locators: LocatorRow[] = [];
    const sids: SidRow[] = [];
    for (const [index, node] of ids.entries()) {
      if (layered.node(node) === undefined) {
        throw new Problem('node-unknown', {
          detail: `node "${node}" is not in the topology`,
          field: `/nodes/${index}`,
        });
      }
      for (const { locator } of effectiveLocators(layered.locatorRowsOf(node))) {
        if (locator.origin === 'planned') locators.push({ ...row, node, locator: { ...locator, origin: 'operator' } });
      }
      for (const { sid } of layered.sidsInForce(node)) {
        if (sid.origin === 'planned') sids.push({ ...row, node, sid: { ...sid, origin: 'operator' } });
      }
    }
    const confirmed = { locators: locators.length, sids: sids.length };
    if (locators.length + sids.length === 0) throw new NothingChanged(confirmed);
    await writeRows(tx, revision, { closed: noRows, opened: { ...noRows, locators, sids } });
    await recordAudit(tx, { revision, actor, kind: header.kind }, auditedByNode(locators, sids));
    return confirmed;
  });
  return { revision: outcome.revision, confirmed: outcome.result };
}

function auditedByNode(locators: readonly LocatorRow[], sids: readonly SidRow[]): readonly AuditedChange[] {
  const byNode = new Map<NodeId, { readonly locators: string[]; readonly sids: string[] }>();
  const of = (node: NodeId) => {
    const known = byNode.get(node) ?? { locators: [], sids: [] };
    byNode.set(node, known);
    return known;
  };
  for (const { node, locator } of locators) of(node).locators.push(locator.prefix);
  for (const { node, sid } of sids) of(node).sids.push(sid.sid);
  return [...byNode].map(([id, confirmed]) => ({
    entity: 'planned-sids',
    id,
    before: { origin: 'planned', ...confirmed },
    after: { origin: 'operator', ...confirmed },
  }));
}
