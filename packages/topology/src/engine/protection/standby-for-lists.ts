import type { Shared } from '../../model/path-answer.js';
import type { StandbyAnswer, StandbyRequest } from '../../model/path-protection.js';
import type { Disjointness, PathRequest } from '../../model/path-request.js';
import type { LinkId } from '../../model/ted.js';
import { sharedBetween } from '../../proof/sharing.js';
import type { Snapshot } from '../../snapshot/snapshot.js';
import { kindsOf } from '../disjoint/disjointness-level.js';
import { canChooseExit, GroupMember } from '../disjoint/group-member.js';
import { isDisjoint } from '../disjoint/require-disjoint.js';
import { Risks } from '../disjoint/risks.js';
import { prepareRequest } from '../prepare-request.js';
import { DEFAULT_WORK_BUDGET, WorkBudget } from '../work-budget.js';
import { findStandby, standbyLevels, standbyRequest, type Primary } from './find-standby.js';

/**
 * A standby for lists that are in use already, also several that carry the request's traffic together; the standby carries
 * all of it. Pure and deterministic. `unreservedBps`: per arc, in bit/s, without what the primary itself has booked; without
 * it the reservable bandwidth.
 */
export function computeStandby(
  snapshot: Snapshot,
  request: PathRequest,
  primary: Primary,
  standby: StandbyRequest,
  unreservedBps: Float64Array = snapshot.data.reservableBps,
): StandbyAnswer {
  const budget = new WorkBudget(DEFAULT_WORK_BUDGET);
  return findStandby({ snapshot, request, unreservedBps, budget }, primary, standby);
}

/** How far lists that were proved are what a standby was to be. */
export interface StandbyQuality {
  /** In its shortest form; empty when links are shared. */
  readonly achieved: readonly Disjointness[];
  /** How many of the levels asked for are stronger. */
  readonly rank: number;
  /** 0: all that was asked for. More is worse: a weaker level, a last link shared that need not be, more links shared. */
  readonly weakness: number;
  readonly shared: Shared;
}

/** What all packets of the primary and of the standby can cross, held against the request; null: it is no such standby. */
export function standbyQuality(
  snapshot: Snapshot,
  request: PathRequest,
  standby: StandbyRequest,
  links: { readonly primary: readonly LinkId[]; readonly standby: readonly LinkId[] },
  unreservedBps: Float64Array = snapshot.data.reservableBps,
): StandbyQuality | null {
  const asked = prepareRequest(snapshot, standbyRequest(request, standby), unreservedBps, true);
  if ('status' in asked) return null;
  // What its proof allowed counts as a choice, also where a search would leave it alone by now.
  const mask = asked.problem.mask.slice();
  for (const link of links.standby) mask[snapshot.arcOf(link)] = 1;
  const prepared = { ...asked, problem: { ...asked.problem, mask } };
  const { source, destination } = request;
  const crossings = [links.primary, links.standby].map((crossed) => ({
    source,
    destination,
    arcs: crossed.map((link) => snapshot.arcOf(link)),
  }));
  const shared = sharedBetween(snapshot, crossings);
  const stages = canChooseExit(prepared) ? [false, true] : [false];
  for (const [rank, level] of standbyLevels(standby).entries()) {
    if (!level.link) return { achieved: [], rank, weakness: 2 * rank + linkCount(snapshot, shared), shared };
    for (const mayShareExits of stages) {
      const member = new GroupMember(prepared, 0, level, mayShareExits);
      if (!isDisjoint(snapshot, level, [member], shared)) continue;
      return { achieved: kindsOf(level), rank, weakness: 2 * rank + (mayShareExits ? 1 : 0), shared };
    }
  }
  return null;
}

/** Both directions as one. */
function linkCount(snapshot: Snapshot, { links }: Shared): number {
  return new Set(links.map((link) => Risks.of(snapshot).linkRisk(snapshot.arcOf(link)))).size;
}
