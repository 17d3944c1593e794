import type { NodeId } from '@waymark/topology';
import type { Transaction } from 'kysely';
import type { Actor } from '../model/topology.js';
import { recordAudit } from '../storage/audit.js';
import type { Database, Tables } from '../storage/database.js';
import { withRevision } from '../storage/revision.js';
import { agentSource } from './agent-capabilities.js';
import { diffRows } from './diff-rows.js';
import { isSaidBy } from './document-rows.js';
import type { TedCache } from './ted-cache.js';
import { noRows } from './ted-rows.js';
import { writeRows } from './write-rows.js';

/** Removes what else there is of the agent, in the same transaction, and says what it was. */
export type RemoveAgent = (tx: Transaction<Tables>) => Promise<object>;

/**
 * Takes back all that the agent of a node said of its data plane: SIDs, MSD, encapsulation. They are what it said last, not
 * what is, and nobody else may own its SIDs as long as they stand. `remove` throws when the agent cannot go.
 */
export async function withdrawAgent(
  db: Database,
  cache: TedCache,
  { node, actor, remove }: { readonly node: NodeId; readonly actor: Actor; readonly remove: RemoveAgent },
): Promise<void> {
  const header = {
    actor: actor.name,
    kind: 'agent-removed',
    summary: ({ sids }: { readonly sids: number }) => `The agent of ${node} is gone for good, and ${sids} SIDs with it`,
    ted: true,
  };
  await withRevision(db, header, async (tx, revision, tedRevision) => {
    const removed = await remove(tx);
    const { layered } = await cache.before(tx, { revision: revision - 1, tedRevision: tedRevision - 1 });
    const source = agentSource(node);
    const isSaid = isSaidBy(source);
    const said = {
      ...noRows,
      nodes: layered.nodeRowsOf(node).filter(isSaid),
      sids: layered.sidRowsOf(node).filter(isSaid),
    };
    await writeRows(tx, revision, diffRows(said, noRows));
    await tx.deleteFrom('source').where('id', '=', source).execute();
    const sids = said.sids.map(({ sid: { sid, behavior } }) => `${sid} ${behavior}`).sort();
    const before = { ...removed, sids };
    await recordAudit(tx, { revision, actor, kind: header.kind }, [{ entity: 'agent', id: node, before, after: null }]);
    return { sids: sids.length };
  });
}
