import type { NodeId } from '@waymark/topology';
import type { Selectable } from 'kysely';
import { isCollapse } from '../model/collapse.js';
import type { Actor, ClusterHost, ClusterHostsResult } from '../model/topology.js';
import { recordAudit } from '../storage/audit.js';
import type { Database } from '../storage/database.js';
import { lockHead, logRevision, takeRevision } from '../storage/revision.js';
import type { SourceTable } from '../storage/tables/ted.js';
import { linkAttributes, nodeAttributes } from './attributes.js';
import { diffRows, setAttributes } from './diff-rows.js';
import { isSaidBy } from './document-rows.js';
import type { LayeredTed } from './layered-ted.js';
import { auditedHold, auditedRelease } from './source-audit.js';
import { NOT_HELD, requireSourceKind, writeSource } from './source-table.js';
import type { TedCache } from './ted-cache.js';
import {
  compareText,
  isEmpty,
  noRows,
  type LinkAttributes,
  type LinkRow,
  type NodeAttributes,
  type TedChange,
} from './ted-rows.js';
import { writeRows } from './write-rows.js';

/**
 * What a cluster says of its hosts, all at once, in the discovered layer. A host that it attaches to routers is in the TED
 * by that alone; of another one, what it says counts where another source knows the host.
 *
 * A cluster that loses most of its hosts at once is held: nothing of that statement is believed until an operator releases
 * the source, or most of the hosts are back.
 */
export async function applyClusterHosts(
  db: Database,
  cache: TedCache,
  {
    source,
    hosts,
    actor,
    now,
  }: {
    /** `kubernetes:<cluster>` */
    readonly source: string;
    readonly hosts: readonly ClusterHost[];
    readonly actor: Actor;
    readonly now: Date;
  },
): Promise<ClusterHostsResult> {
  return db.transaction().execute(async (tx) => {
    const head = await lockHead(tx);
    const record = await requireSourceKind(tx, source, 'kubernetes');
    const { layered } = await cache.before(tx, head);
    const change = clusterChange(layered, source, hosts, head.revision + 1);
    const isHeld = record !== undefined && record.held_since !== null;
    const collapse = collapseOfHosts(layered, source, hosts);
    if (collapse !== undefined) {
      if (record !== undefined && isHeld && sameStatement(record, hosts)) {
        return { outcome: 'held', revision: head.revision, reason: collapse };
      }
      const numbers = await takeRevision(tx, false);
      await writeSource(tx, source, 'kubernetes', {
        updated_at: now,
        held_since: record?.held_since ?? now,
        held_reason: collapse,
        held_revision: record?.held_revision ?? numbers.revision,
        held_batch: JSON.stringify({ hosts }),
      });
      const header = { actor: actor.name, kind: 'source-held', summary: `${source} is held: ${collapse}` };
      await recordAudit(tx, { ...header, ...numbers, actor }, [auditedHold(source, collapse)]);
      await logRevision(tx, numbers, header);
      return { outcome: 'held', revision: numbers.revision, reason: collapse };
    }
    if (isEmpty(change) && !isHeld && record !== undefined) return { outcome: 'applied', revision: head.revision };
    const numbers = await takeRevision(tx, !isEmpty(change));
    await writeRows(tx, numbers.revision, change);
    await writeSource(tx, source, 'kubernetes', { updated_at: now, ...(isHeld ? NOT_HELD : {}) });
    const header = {
      actor: actor.name,
      kind: isHeld ? 'source-released' : 'cluster-hosts',
      summary: isHeld ? `${source} is whole again` : describe(source, change),
    };
    if (isHeld) await recordAudit(tx, { ...header, ...numbers, actor }, [auditedRelease(record, 'whole-again')]);
    await logRevision(tx, numbers, header);
    return { outcome: 'applied', revision: numbers.revision };
  });
}

/** What must be written so that the source says this and nothing else. */
export function clusterChange(
  layered: LayeredTed,
  source: string,
  hosts: readonly ClusterHost[],
  revision: number,
): TedChange {
  const row = { layer: 'discovered', source, fromRevision: revision, toRevision: null, since: {} } as const;
  const said = layered.rowsWhere(isSaidBy(source));
  return diffRows(said, {
    ...noRows,
    nodes: hosts.map(({ id, name, site, address, podPrefixes, attachedTo }) => ({
      ...row,
      id,
      attributes: setAttributes<NodeAttributes>(nodeAttributes, {
        name,
        site,
        address,
        podPrefixes,
        kind: attachedTo.length === 0 ? null : 'host',
      }),
    })),
    links: hosts.flatMap(({ id, attachedTo, attachmentDelayUs }) =>
      attachedTo.flatMap((router): LinkRow[] => [
        { ...row, ...arc(id, router, attachmentDelayUs) },
        { ...row, ...arc(router, id, attachmentDelayUs) },
      ]),
    ),
  });
}

function arc(from: string, to: string, delayUs: number | undefined) {
  const attributes = setAttributes<LinkAttributes>(linkAttributes, { from, to, reverseId: `${to}:${from}`, delayUs });
  return { id: `${from}:${to}`, attributes };
}

/** What the source says in the TED; sorted by id. */
export function statedHosts(layered: LayeredTed, source: string): readonly ClusterHost[] {
  const said = layered.rowsWhere(isSaidBy(source));
  const attachments = new Map<NodeId, NodeId[]>();
  const delays = new Map<NodeId, number>();
  for (const { attributes } of said.links) {
    const { from, to, delayUs } = attributes;
    if (from === undefined || to === undefined) continue;
    attachments.set(from, [...(attachments.get(from) ?? []), to]);
    if (delayUs !== undefined) delays.set(from, delayUs);
  }
  return said.nodes
    .map(({ id, attributes: { name = id, site = null, address = null, podPrefixes = [] } }) => {
      const attachedTo = (attachments.get(id) ?? []).sort();
      const attachmentDelayUs = delays.get(id);
      const delay = attachmentDelayUs === undefined ? {} : { attachmentDelayUs };
      return { id, name, site, address, podPrefixes, attachedTo, ...delay };
    })
    .sort((a, b) => compareText(a.id, b.id));
}

/** Why the statement looks as if the cluster had lost its own view; undefined when it does not. */
function collapseOfHosts(layered: LayeredTed, source: string, hosts: readonly ClusterHost[]): string | undefined {
  const known = layered.rowsWhere(isSaidBy(source)).nodes;
  const said = new Set(hosts.map(({ id }) => id));
  const gone = known.filter(({ id }) => !said.has(id)).length;
  if (!isCollapse(gone, known.length)) return undefined;
  return `${gone} of ${known.length} hosts of ${source} would be gone at once`;
}

function sameStatement({ held_batch }: Selectable<SourceTable>, hosts: readonly ClusterHost[]): boolean {
  const held = (held_batch as { readonly hosts: readonly ClusterHost[] } | null)?.hosts ?? [];
  const ids = (all: readonly ClusterHost[]): string => JSON.stringify(all.map(({ id }) => id).sort());
  return ids(held) === ids(hosts);
}

function describe(source: string, { closed, opened }: TedChange): string {
  const before = new Set(closed.nodes.map(({ id }) => id));
  const after = new Set(opened.nodes.map(({ id }) => id));
  const added = [...after].filter((id) => !before.has(id)).length;
  const removed = [...before].filter((id) => !after.has(id)).length;
  return `Hosts of ${source}: +${added} ~${after.size - added} -${removed}`;
}
