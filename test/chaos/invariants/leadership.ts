import type { HeadendWritten, LeaderWritten } from './observer.js';
import type { Report } from '../report.js';

export const ONE_LEADER = 'exactly one leader per epoch, and epochs only grow';
export const FENCED = 'no leader writes in its epoch after a newer one has begun';
export const GENERATIONS_GROW = 'generations of a headend only grow';

/** Holds everything that leaders have written against the rules of fencing. */
export function checkLeadership(
  report: Report,
  leaders: readonly LeaderWritten[],
  headends: readonly HeadendWritten[],
): void {
  report.check(ONE_LEADER, leaders.length, leadersOutOfOrder(leaders));
  report.check(FENCED, headends.length, lateWrites(leaders, headends));
  report.check(GENERATIONS_GROW, headends.length, fallenBack(headends));
}

function* leadersOutOfOrder(leaders: readonly LeaderWritten[]): Generator<string> {
  for (const [index, { epoch, holder }] of leaders.entries()) {
    const before = leaders[index - 1];
    if (before !== undefined && epoch <= before.epoch) {
      yield `epoch ${epoch} of ${String(holder)} follows epoch ${before.epoch} of ${String(before.holder)}`;
    }
  }
}

/** Steps of the two tables are in order: taking over waits for the transactions of the epoch before. */
function* lateWrites(leaders: readonly LeaderWritten[], headends: readonly HeadendWritten[]): Generator<string> {
  for (const { step, node_id, generation, epoch } of headends) {
    const newest = leaders.findLast((leader) => leader.step < step);
    if (newest === undefined || generation === 0 || epoch === newest.epoch) continue;
    yield `generation ${generation} of ${node_id} is written in epoch ${epoch} when ${newest.epoch} has begun`;
  }
}

function* fallenBack(headends: readonly HeadendWritten[]): Generator<string> {
  const newest = new Map<string, HeadendWritten>();
  for (const written of headends) {
    const before = newest.get(written.node_id);
    newest.set(written.node_id, written);
    if (before === undefined) continue;
    if (written.generation <= before.generation || written.epoch < before.epoch) {
      yield `${written.node_id} goes from generation ${before.generation} (epoch ${before.epoch}) to ${written.generation} (epoch ${written.epoch})`;
    }
  }
}
