import type { Ted } from '@waymark/topology';
import { isCollapse } from '../model/collapse.js';
import { isSaidBy } from './document-rows.js';
import type { LayeredTed } from './layered-ted.js';
import type { LinkRow, NodeRow } from './ted-rows.js';

/**
 * A source that loses most of the network at once has more likely lost its own view than seen the world end (its IGP
 * session broke, it restarted empty). Such a batch is not believed by itself.
 */
export const COLLAPSE_WINDOW_MS = 30_000;

type Kind = 'links' | 'nodes';
type State = 'up' | 'down';

export interface CollapseQuestion {
  readonly ted: Ted;
  readonly layered: LayeredTed;
  readonly source: string;
  /** The source has once stated everything it knows. Until then, everything up is taken for its own. */
  readonly complete: boolean;
  /** What the source called down after this revision counts with the batch: a collapse may come in pieces. */
  readonly windowRevision: number;
  readonly states: Readonly<Record<Kind, ReadonlyMap<string, State>>>;
}

/** Why the batch looks like the collapse of its source; undefined when it does not. */
export function collapseReason(question: CollapseQuestion): string | undefined {
  return collapseOf('links', question) ?? collapseOf('nodes', question);
}

function collapseOf(kind: Kind, question: CollapseQuestion): string | undefined {
  const { layered, source, complete, windowRevision } = question;
  const states = question.states[kind];
  const calledDown = [...states].filter(([, state]) => state === 'down').map(([id]) => id);
  if (calledDown.length === 0) return undefined;
  const inForce = kind === 'links' ? (id: string) => layered.link(id) : (id: string) => layered.node(id);
  const own = layered.entityRowsWhere(kind, isSaidBy(source)).filter((row) => inForce(row.id) !== undefined);
  const up = new Set(
    complete
      ? own.filter((row) => row.attributes.operationalState === 'up').map((row) => row.id)
      : question.ted[kind].filter((entity) => entity.operationalState === 'up').map((entity) => entity.id),
  );
  const wentDown = own
    .filter((row) => row.attributes.operationalState === 'down' && stateSetAt(row) > windowRevision)
    .map((row) => row.id);
  const goesDown = calledDown.filter((id) => up.has(id));
  if (goesDown.length === 0) return undefined;
  const stayDown = wentDown.filter((id) => states.get(id) !== 'up');
  const known = new Set([...up, ...wentDown]).size;
  const down = new Set([...goesDown, ...stayDown]).size;
  if (!isCollapse(down, known)) return undefined;
  return `${down} of ${known} ${kind} of ${source} would be down within ${COLLAPSE_WINDOW_MS / 1000} s`;
}

function stateSetAt(row: LinkRow | NodeRow): number {
  return row.since['operationalState'] ?? row.fromRevision;
}
