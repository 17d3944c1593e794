import type { LayeredTed } from './layered-ted.js';
import type { LinkRow, NodeRow } from './ted-rows.js';

/**
 * A source that loses most of the network at once has more likely lost its own view than seen the world end (its IGP
 * session broke, it restarted empty). Such a batch is not believed by itself.
 */
export const COLLAPSE_WINDOW_MS = 30_000;
/** With fewer, half of them failing is nothing unusual. */
export const COLLAPSE_MIN_UP = 4;

type Kind = 'links' | 'nodes';
type State = 'up' | 'down';

export interface CollapseQuestion {
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
  const entity = (id: string) => (kind === 'links' ? layered.link(id) : layered.node(id));
  const up = new Set<string>();
  const wentDown = new Set<string>();
  const rows: readonly (LinkRow | NodeRow)[] = layered.rows()[kind];
  for (const row of rows) {
    if (row.layer !== 'discovered' || entity(row.id) === undefined) continue;
    const own = row.source === source ? row.attributes.operationalState : undefined;
    if (complete ? own === 'up' : entity(row.id)?.operationalState === 'up') up.add(row.id);
    if (own === 'down' && stateSetAt(row) > windowRevision) wentDown.add(row.id);
  }
  const goesDown = [...states].filter(([id, state]) => state === 'down' && up.has(id)).map(([id]) => id);
  if (goesDown.length === 0) return undefined;
  const stayDown = [...wentDown].filter((id) => states.get(id) !== 'up');
  const known = new Set([...up, ...wentDown]).size;
  const down = new Set([...goesDown, ...stayDown]).size;
  if (known < COLLAPSE_MIN_UP || down * 2 <= known) return undefined;
  return `${down} of ${known} ${kind} of ${source} would be down within ${COLLAPSE_WINDOW_MS / 1000} s`;
}

function stateSetAt(row: LinkRow | NodeRow): number {
  return row.since['operationalState'] ?? row.fromRevision;
}
