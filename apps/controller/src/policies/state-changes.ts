import { isDeepStrictEqual } from 'node:util';
import type { NodeId } from '@waymark/topology';
import { transportList, type PolicyEvaluation } from '../compute/evaluate-policies-model.js';
import type { PolicyEvent } from './policy-event.js';
import type { StateChange, StoredState } from './policy-states.js';
import { pushedEntries, storedList, transportOf, type StoredList, type StoredStandby } from './stored-lists.js';

export const STEERING_CHANGED = 'its steered prefixes changed';

export interface EvaluationResult {
  readonly evaluation: PolicyEvaluation;
  readonly before: StoredState | undefined;
  /** Does the headend hold something else from now on? */
  readonly reissued: boolean;
  /** What the policy was evaluated for. */
  readonly event: PolicyEvent;
  /** Set when its steering may have changed: by what. */
  readonly steering: PolicyEvent | undefined;
  /** There were none for it before. */
  readonly gotBindingSids: boolean;
}

/** What an operator would call a change of the policy, and why it came; undefined when there is none. */
export function stateChange(result: EvaluationResult): StateChange | undefined {
  const { evaluation, before, event } = result;
  if (before === undefined || evaluation.decision === 'changed') return { event, reason: evaluation.cause };
  if (evaluation.decision === 'blocked' && !before.blocked) return { event, reason: evaluation.cause };
  const lists = evaluation.lists.map(storedList);
  if (result.reissued) return reissued(result, lists);
  if (evaluation.decision === 'kept' && before.blocked) return { event, reason: 'nothing that it uses is drained' };
  const reason = moveByIgp(before.lists, lists);
  return reason === undefined ? undefined : { event, reason };
}

/** The same transport lists, and yet the headend is told something else. */
function reissued(
  { evaluation, before, event, steering, gotBindingSids }: EvaluationResult,
  lists: readonly StoredList[],
): StateChange {
  if (gotBindingSids) return { event, reason: 'there are binding SIDs for it now' };
  const services = (all: readonly StoredList[]) =>
    all.map(({ families }) => families.map(({ family, service }) => [family, service.map(([sid]) => sid)]));
  const planned = (all: readonly StoredList[]) => all.some(({ families }) => families.some((family) => family.planned));
  const known = before?.lists ?? [];
  const standby = standbyChange(before?.standby ?? null, evaluation);
  if (standby !== undefined) return { event, reason: standby };
  if (!isDeepStrictEqual(services(known), services(lists))) return { event, reason: 'its service SIDs changed' };
  const entries = (all: readonly StoredList[]) =>
    all.map((list) => list.families.map((one) => pushedEntries(list, one)));
  if (!isDeepStrictEqual(entries(known), entries(lists))) return { event, reason: 'its SIDs are packed otherwise' };
  if (planned(known) !== planned(lists)) {
    return { event, reason: planned(lists) ? 'it uses planned SIDs now' : 'it uses no planned SID any more' };
  }
  if (steering !== undefined) return { event: steering, reason: STEERING_CHANGED };
  return { event, reason: 'the address of its endpoint changed' };
}

/** undefined: the transport lists of the standby are the same. */
function standbyChange(
  before: StoredStandby | null,
  { standby: after, activeCandidate, disjointStandby }: PolicyEvaluation,
): string | undefined {
  if (after === null) {
    if (before === null) return undefined;
    const why = disjointStandby?.message;
    return `it has no standby any more${why == null ? '' : `: ${why}`}`;
  }
  if (isDeepStrictEqual(before?.lists.map(transportOf), after.lists.map(transportList))) return undefined;
  if (after.candidate === activeCandidate) {
    return before === null ? 'it has a disjoint standby' : 'it has another disjoint standby';
  }
  const which = `candidate path ${after.candidate} is its standby`;
  return before === null ? which : `${which}, with other lists than before`;
}

/** Why the traffic of the same lists goes elsewhere; undefined when it does not. */
function moveByIgp(before: readonly StoredList[], after: readonly StoredList[]): string | undefined {
  for (const [index, list] of after.entries()) {
    const known = before[index];
    if (known === undefined) continue;
    if (!isDeepStrictEqual(known.links, list.links)) {
      const nodes = isDeepStrictEqual(known.nodes, list.nodes) ? 'parallel links' : said(list.nodes);
      return `the IGP moved it to ${nodes}; its lists stay`;
    }
    if (!isDeepStrictEqual(known.load, list.load)) return 'the IGP spreads it over other links; its lists stay';
  }
  return undefined;
}

const SAID_NODES = 12;

function said(nodes: readonly NodeId[]): string {
  if (nodes.length <= SAID_NODES) return nodes.join(' ');
  return [...nodes.slice(0, SAID_NODES / 2), '…', ...nodes.slice(-SAID_NODES / 2)].join(' ');
}
