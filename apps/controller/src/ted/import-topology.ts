import type { Ted } from '@waymark/topology';
import { defaultSidPlan, planSids, TopologyFormatError, type TopologyDocument } from '@waymark/topology-formats';
import type { EntityCounts, ImportResult } from '../model/topology.js';
import { diffRowsInSlices } from './diff-rows.js';
import { documentRows, everythingKnown, isSaidBy } from './document-rows.js';
import { refuseBindingSidClaims, type BindingSidBlock } from './binding-sid-claims.js';
import { refuseForeignClaims } from './foreign-claims.js';
import type { LayeredTed } from './layered-ted.js';
import { topologyInvalid } from './read-document.js';
import type { Slices } from './slices.js';
import type { TedChange } from './ted-rows.js';

export interface PlannedImport {
  readonly change: TedChange;
  readonly result: Omit<ImportResult, 'revision'>;
  readonly affinities: ReadonlySet<string>;
}

/**
 * What importing a file changes: only rows of the discovered layer of its source, and of those only what differs.
 * Throws `topology-invalid` when the SID plan runs out of numbers, a SID or locator belongs to a node of another source, or
 * lies within the block of some headend's binding SIDs.
 */
export function* planImport(
  document: TopologyDocument,
  source: string,
  before: { readonly layered: LayeredTed; readonly ted: Ted },
  revision: number,
  blocks: readonly BindingSidBlock[],
): Slices<PlannedImport> {
  // All that is asked of the TED is taken at once, for it may move between slices.
  const known = everythingKnown(before.layered, before.ted);
  const said = before.layered.rowsWhere(isSaidBy(source));
  const others = before.layered.rowsWhere((row) => row.source !== source);
  yield;
  const plan = document.sidPlan ?? defaultSidPlan;
  const planned = yield* refusing(planSids(document, known, plan));
  const desired = yield* documentRows(planned.document, source, revision);
  yield;
  refuseForeignClaims(desired, others);
  refuseBindingSidClaims(desired, blocks);
  const change = yield* diffRowsInSlices(said, desired);
  const nodes = count(touchedNodes(change));
  const links = count(touchedLinks(change));
  const changed = [nodes, links].some((counts) => counts.added + counts.changed + counts.removed > 0);
  const affinities = new Set(change.opened.links.flatMap((row) => row.attributes.affinities ?? []));
  return { change, result: { changed, nodes, links, planned: planned.planned }, affinities };
}

function* refusing<Value>(work: Slices<Value>): Slices<Value> {
  try {
    return yield* work;
  } catch (error) {
    throw error instanceof TopologyFormatError ? topologyInvalid(error.problems) : error;
  }
}

interface Touched {
  readonly closed: ReadonlySet<string>;
  readonly opened: ReadonlySet<string>;
  /** Through a SID or locator only. */
  readonly otherwise: ReadonlySet<string>;
}

function touchedNodes({ closed, opened }: TedChange): Touched {
  const parts = [closed, opened].flatMap(({ locators, sids }) => [
    ...locators.map((row) => row.node),
    ...sids.filter(({ sid }) => sid.linkId === null).map((row) => row.node),
  ]);
  return { closed: idsOf(closed.nodes), opened: idsOf(opened.nodes), otherwise: new Set(parts) };
}

/** An adjacency's SID counts as part of its link. */
function touchedLinks({ closed, opened }: TedChange): Touched {
  const parts = [...closed.sids, ...opened.sids].map(({ sid }) => sid.linkId).filter((id) => id !== null);
  return { closed: idsOf(closed.links), opened: idsOf(opened.links), otherwise: new Set(parts) };
}

function idsOf(rows: readonly { readonly id: string }[]): ReadonlySet<string> {
  return new Set(rows.map((row) => row.id));
}

function count({ closed, opened, otherwise }: Touched): EntityCounts {
  const added = [...opened].filter((id) => !closed.has(id));
  const removed = [...closed].filter((id) => !opened.has(id));
  const ownRows = new Set([...closed, ...opened]);
  const changed = ownRows.size - added.length - removed.length + [...otherwise].filter((id) => !ownRows.has(id)).length;
  return { added: added.length, changed, removed: removed.length };
}
