import type { Shared } from '../../model/path-answer.js';
import type { StandbyAnswer, StandbyRequest, UnachievedStandby } from '../../model/path-protection.js';
import type { PathRequest } from '../../model/path-request.js';
import type { LinkId } from '../../model/ted.js';
import { sharedBetween } from '../../proof/sharing.js';
import type { Snapshot } from '../../snapshot/snapshot.js';
import { findBest } from '../best-path.js';
import { kindsOf, levelOf, relaxations, type Level } from '../disjoint/disjointness-level.js';
import { NO_BLOCKING } from '../disjoint/explain-level.js';
import { canChooseExit, GroupMember } from '../disjoint/group-member.js';
import { requireDisjoint } from '../disjoint/require-disjoint.js';
import { Risks } from '../disjoint/risks.js';
import type { Finished } from '../finish-path.js';
import { prepareRequest, type PreparedRequest } from '../prepare-request.js';
import type { WorkBudget } from '../work-budget.js';

export interface StandbyTask {
  readonly snapshot: Snapshot;
  readonly request: PathRequest;
  /** The primary and the standby never carry traffic at once: each is held against all of it. */
  readonly unreservedBps: Float64Array;
  readonly budget: WorkBudget;
}

/** What a standby is to be disjoint from. */
export interface Primary {
  /** Everything that packets of any of its lists can cross. */
  readonly links: readonly LinkId[];
  /** The SIDs of each of its lists, without the service SID. */
  readonly transports: readonly (readonly string[])[];
}

/**
 * The best path that shares nothing of the kinds asked for with a primary, which stays as it is; when relaxed, that of the
 * strongest level there is, and last one with as few of the primary's links as possible.
 */
export function findStandby(task: StandbyTask, primary: Primary, standby: StandbyRequest): StandbyAnswer {
  const { snapshot, request, unreservedBps, budget } = task;
  const prepared = prepareRequest(snapshot, standbyRequest(request, standby), unreservedBps, true);
  if ('status' in prepared) return { status: 'no-path', message: prepared.message, unachieved: [], isProved: true };
  const unachieved: UnachievedStandby[] = [];
  const crossed = primary.links.map((link) => snapshot.arcOf(link));
  for (const level of standbyLevels(standby)) {
    const search = new StandbySearch(prepared, crossed, level, budget);
    const found = level.link ? search.disjoint() : search.fewestShared();
    if (found.list === null || isSame(found.list, primary)) {
      unachieved.push({ disjoint: kindsOf(level), isProved: found.isProved, blocking: search.blocking() });
      continue;
    }
    const { source, destination } = request;
    const crossings = [crossed, [...found.list.load.keys()]].map((arcs) => ({ source, destination, arcs }));
    const shared = sharedBetween(snapshot, crossings);
    requireDisjoint(snapshot, level, search.members, shared);
    const optimality = found.isProved ? 'optimal' : 'feasible';
    return { status: 'computed', achieved: kindsOf(level), unachieved, optimality, path: found.list.path, shared };
  }
  const isProved = unachieved.every((level) => level.isProved);
  return { status: 'no-path', message: sentence(unachieved), unachieved, isProved };
}

/** The levels that a standby may have, the strongest first. */
export function standbyLevels({ disjoint, mode }: StandbyRequest): Level[] {
  const asked = levelOf(typeof disjoint === 'string' ? [disjoint] : disjoint);
  return mode === 'relaxed' ? relaxations(asked) : [asked];
}

/** What is asked for the standby by itself: one path. */
export function standbyRequest(
  request: PathRequest,
  { constraints = request.constraints }: StandbyRequest,
): PathRequest {
  const { source, destination, metric, families, maxSegments } = request;
  return {
    source,
    destination,
    metric,
    constraints,
    ...(families && { families }),
    ...(maxSegments !== undefined && { maxSegments }),
  };
}

function isSame({ path }: Finished, { transports }: Primary): boolean {
  const own = path.transport.map(({ sid }) => sid).join();
  return transports.some((sids) => sids.join() === own);
}

interface FoundList {
  readonly list: Finished | null;
  /** There is none, or none better. */
  readonly isProved: boolean;
}

/** The search at one level. */
class StandbySearch {
  readonly #prepared: PreparedRequest;
  readonly #crossed: readonly number[];
  readonly #level: Level;
  readonly #budget: WorkBudget;
  readonly #risks: Risks;
  #member: GroupMember;

  constructor(prepared: PreparedRequest, crossed: readonly number[], level: Level, budget: WorkBudget) {
    this.#prepared = prepared;
    this.#crossed = crossed;
    this.#level = level;
    this.#budget = budget;
    this.#risks = Risks.of(prepared.snapshot);
    this.#member = new GroupMember(prepared, 0, level, false);
  }

  get members(): readonly GroupMember[] {
    return [this.#member];
  }

  /** First over another last link where there are several; only where that cannot be, over the same. */
  disjoint(): FoundList {
    const stages = canChooseExit(this.#prepared) ? [false, true] : [false];
    let isProved = true;
    for (const mayShareExits of stages) {
      this.#member = new GroupMember(this.#prepared, 0, this.#level, mayShareExits);
      const found = this.#findOver(this.#member.maskWithout(this.#forbidden()));
      isProved &&= found.isProved;
      if (found.list !== null) return { list: found.list, isProved };
    }
    return { list: null, isProved };
  }

  /** Of all lists those that cross the fewest of the primary's links, and of these the best. */
  fewestShared(): FoundList {
    const { problem } = this.#prepared;
    const { weight } = problem;
    const most = 1 + weight.reduce((sum, value) => (Number.isFinite(value) ? sum + value : sum), 0);
    const priced = weight.slice();
    const links = new Set(this.#crossed.map((arc) => this.#risks.linkRisk(arc)));
    for (const link of links) for (const arc of this.#risks.arcsOf(link)) priced[arc] = (priced[arc] as number) + most;
    return this.#find({ ...this.#prepared, problem: { ...problem, weight: priced } });
  }

  /** Each risk of the primary that by itself leaves the standby no path. */
  blocking(): Shared {
    if (!this.#level.link) return NO_BLOCKING;
    const cut = this.#forbidden().filter((risk) => {
      const route = this.#member.findPath(this.#member.maskWithout([risk]), this.#budget);
      return route === null;
    });
    const named = (kind: 'node' | 'srlg' | 'site' | 'link') =>
      cut.filter((risk) => this.#risks.kindOf(risk) === kind).map((risk) => this.#risks.nameOf(risk));
    const links = new Set(cut.filter((risk) => this.#risks.kindOf(risk) === 'link'));
    const { snapshot } = this.#prepared;
    return {
      nodes: named('node').sort(),
      links: this.#crossed
        .filter((arc) => links.has(this.#risks.linkRisk(arc)))
        .map((arc) => snapshot.linkIdOf(arc))
        .sort(),
      srlgs: named('srlg')
        .map(Number)
        .sort((a, b) => a - b),
      sites: named('site').sort(),
    };
  }

  #forbidden(): number[] {
    const { shareable } = this.#member;
    return [...this.#risks.ofArcs(this.#crossed, this.#level)]
      .filter((risk) => !shareable.has(risk))
      .sort((a, b) => a - b);
  }

  #findOver(mask: Uint8Array): FoundList {
    const { problem } = this.#prepared;
    return this.#find({ ...this.#prepared, problem: { ...problem, mask } });
  }

  #find(prepared: PreparedRequest): FoundList {
    const best = findBest(prepared, this.#budget);
    return { list: best.found, isProved: best.isExact && this.#budget.isDecided };
  }
}

function sentence(unachieved: readonly UnachievedStandby[]): string {
  const { disjoint = [], blocking = NO_BLOCKING, isProved = true } = unachieved[0] ?? {};
  const what = `standby that is ${disjoint.join('- and ')}-disjoint from the primary`;
  if (!isProved) return `the work budget ended the search before it found a ${what}`;
  const things = [
    ...blocking.nodes.map((id) => `node ${id}`),
    ...blocking.links.map((id) => `link ${id}`),
    ...blocking.srlgs.map((group) => `SRLG ${group}`),
    ...blocking.sites.map((site) => `site ${site}`),
  ];
  const why = things.length === 0 ? 'within the constraints' : `: every path passes ${things.join(', ')}`;
  return `there is no ${what}${things.length === 0 ? ' ' : ''}${why}`;
}
