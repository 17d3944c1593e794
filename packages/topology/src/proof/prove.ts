import { DEFAULT_MSD, srhEntries } from '../model/encapsulation.js';
import type { Proof, ProofRequirement, Violation, ViolationKind } from '../model/proof.js';
import type { LinkId } from '../model/ted.js';
import { NodeFlag } from '../snapshot/snapshot-data.js';
import type { Snapshot } from '../snapshot/snapshot.js';
import { destinationsOf, type Destination } from './destination.js';
import { forwardingOf } from './forwarding.js';
import { measureWalk } from './measure.js';
import { checkTotals, checkWalk } from './requirement-check.js';
import { objectionTo, walkSegments, type WalkFailure, type WalkState } from './walk.js';

export interface ProofOptions {
  /** Bandwidth left per arc in bit/s; without it the reservable bandwidth. */
  readonly unreservedBps?: Float64Array;
}

/** A proof with what it measured before rounding. */
export interface ExactProof extends Proof {
  /** Loss of the worst branch as a sum of -ln(1 - loss) in units of 2^-40; NaN when a link's is unknown. */
  readonly worstLossUnits: number;
  /** Of the branch that takes the first link wherever there are several, from the headend on. */
  readonly branch: readonly LinkId[];
}

/**
 * Walks a segment list as the network would, through every ECMP branch of every segment, and holds it against a
 * requirement. Each of `entries` is a SID, or a container that routers read C-SID by C-SID. It shares neither SPF nor
 * encoding with the search: what this function accepts is safe to publish whatever the search believed. Failures of
 * delivery come before broken requirements. Never throws for bad input: unknown SIDs and nodes are violations.
 */
export function prove(
  snapshot: Snapshot,
  entries: readonly string[],
  requirement: ProofRequirement,
  options: ProofOptions = {},
): Proof {
  const { revision, ok, violation, worst, best, singlePath, load } = proveExactly(
    snapshot,
    entries,
    requirement,
    options,
  );
  return { revision, ok, violation, worst, best, singlePath, load };
}

/** The same, for an engine that goes on reckoning with what was measured. */
export function proveExactly(
  snapshot: Snapshot,
  entries: readonly string[],
  requirement: ProofRequirement,
  options: ProofOptions = {},
): ExactProof {
  const headend = snapshot.nodeIndexOf(requirement.headend);
  const destination = snapshot.nodeIndexOf(requirement.destination);
  const destinations = destinationsOf(snapshot);
  const read = entries.map((entry, i) => destinations.ofEntry(entry, i));
  const refusal =
    headend < 0 || destination < 0 ? unknownNode(requirement) : refuse(snapshot, headend, destination, read);
  if (refusal !== null) return conclude(snapshot, [], refusal, () => null);

  const fixed = checkMsd(snapshot, headend, entries.length, requirement.maxSegments);
  const { states, failure } = walkSegments(snapshot, forwardingOf(snapshot), headend, destination, read);
  const walked = failure?.kind === 'loop' ? [] : states;
  const early = fixed ?? failure ?? checkWalk(snapshot, states, requirement);
  const unreserved = options.unreservedBps ?? snapshot.data.reservableBps;
  return conclude(snapshot, walked, early === null ? null : toViolation(snapshot, early), (measured) =>
    checkTotals(snapshot, walked, measured, entries.length, requirement, unreserved),
  );
}

function conclude(
  snapshot: Snapshot,
  states: readonly WalkState[],
  early: Violation | null,
  checkTotalsOf: (measured: ReturnType<typeof measureWalk>) => WalkFailure | null,
): ExactProof {
  const measured = measureWalk(snapshot, states);
  const late = early === null ? checkTotalsOf(measured) : null;
  const violation = early ?? (late === null ? null : toViolation(snapshot, late));
  const load = [...measured.load].map(([arc, share]) => ({ linkId: snapshot.linkIdOf(arc), share }));
  load.sort((a, b) => (a.linkId < b.linkId ? -1 : 1));
  const { worst, worstLossUnits, best, singlePath } = measured;
  const ok = violation === null;
  const branch = firstBranch(states).map((arc) => snapshot.linkIdOf(arc));
  return { revision: snapshot.revision, ok, violation, worst, worstLossUnits, best, singlePath, load, branch };
}

function firstBranch([first]: readonly WalkState[]): number[] {
  const arcs: number[] = [];
  for (let move = first?.moves[0]; move !== undefined; move = move.to.moves[0]) {
    if (move.arc !== null) arcs.push(move.arc);
  }
  return arcs;
}

function unknownNode(requirement: ProofRequirement): Violation {
  return violationOf('not-delivered', `${requirement.headend} or ${requirement.destination} is not in the topology`);
}

function refuse(
  snapshot: Snapshot,
  headend: number,
  destination: number,
  entries: readonly Destination[],
): Violation | null {
  for (const destination of entries) {
    const objection = objectionTo(snapshot, destination);
    if (objection !== null) return { ...violationOf('unknown-sid', objection), segmentIndex: destination.entry };
  }
  if (headend === destination) {
    return violationOf('not-delivered', `${snapshot.nodeIdOf(headend)} is both headend and destination`);
  }
  if (entries.length === 0) return violationOf('not-delivered', 'the list is empty');
  if (((snapshot.data.nodeFlags[headend] as number) & NodeFlag.Up) === 0) {
    const node = snapshot.nodeIdOf(headend);
    return { ...violationOf('link-down', `headend ${node} is down`), node };
  }
  return null;
}

function checkMsd(
  snapshot: Snapshot,
  headend: number,
  entryCount: number,
  maxSegments: number | undefined,
): WalkFailure | null {
  const known = snapshot.data.nodeMsd[headend] as number;
  const limit = Math.min(known < 0 ? DEFAULT_MSD : known, maxSegments ?? Infinity);
  const mode = ((snapshot.data.nodeFlags[headend] as number) & NodeFlag.ReducedEncap) !== 0 ? 'reduced' : 'full';
  const entries = srhEntries(mode, entryCount);
  if (entries <= limit) return null;
  const message = `${snapshot.nodeIdOf(headend)} would push ${entries} SRH entries; it can push ${limit}`;
  return { kind: 'msd-exceeded', message, segment: null, node: headend, arc: null };
}

function violationOf(kind: ViolationKind, message: string): Violation {
  return { kind, message, segmentIndex: null, node: null, link: null };
}

function toViolation(snapshot: Snapshot, failure: WalkFailure): Violation {
  return {
    kind: failure.kind,
    message: failure.message,
    segmentIndex: failure.segment,
    node: snapshot.nodeIdOf(failure.node),
    link: failure.arc === null ? null : snapshot.linkIdOf(failure.arc),
  };
}
