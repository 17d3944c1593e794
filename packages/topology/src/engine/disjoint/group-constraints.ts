import type { DisjointMember, DisjointRequest } from '../../model/disjoint-paths.js';
import type { PathRequest } from '../../model/path-request.js';
import { constraintsOf, pointerBefore, withoutConstraints, type ConstraintPointer } from '../constraint-set.js';
import { withValue } from '../find-conflict.js';

const DISJOINT = '/disjoint';

/** A constraint of a member: its number, and the pointer into the member. */
interface InMember {
  readonly i: number;
  readonly pointer: ConstraintPointer;
}

/** What a member asks for by itself. */
export function memberRequest({ metric }: DisjointRequest, member: DisjointMember): PathRequest {
  return { ...member, metric };
}

/**
 * Everything that a group demands and that could be dropped alone. A relaxed group does not insist on disjointness, so that is
 * never to blame.
 */
export function constraintsOfGroup(request: DisjointRequest): ConstraintPointer[] {
  const own = request.members.flatMap((member, i) =>
    constraintsOf(memberRequest(request, member)).map((pointer) => pointerOf(i, pointer)),
  );
  return request.mode === 'relaxed' || request.disjoint.length === 0 ? own : [...own, DISJOINT];
}

/** The group without some of its constraints: whatever satisfied it still does. */
export function withoutGroupConstraints(
  request: DisjointRequest,
  dropped: ReadonlySet<ConstraintPointer>,
): DisjointRequest {
  if (dropped.size === 0) return request;
  const members = request.members.map((member, i) =>
    withoutConstraints(memberRequest(request, member), ofMember(i, dropped)),
  );
  return { ...request, members, disjoint: dropped.has(DISJOINT) ? [] : request.disjoint };
}

/** Where a constraint of member `i` without those dropped stands in the group itself. */
export function groupPointerBefore(
  request: DisjointRequest,
  dropped: ReadonlySet<ConstraintPointer>,
  i: number,
  pointer: ConstraintPointer,
): ConstraintPointer {
  const member = memberRequest(request, request.members[i] as DisjointMember);
  return pointerOf(i, pointerBefore(member, ofMember(i, dropped), pointer));
}

/** The group with another value of a bound, a bandwidth, or the most segments. */
export function withGroupValue(request: DisjointRequest, pointer: ConstraintPointer, value: number): DisjointRequest {
  const at = inMember(pointer);
  if (at === null) return request;
  const members = request.members.map((member, i) =>
    i === at.i ? withValue(memberRequest(request, member), at.pointer, value) : member,
  );
  return { ...request, members };
}

/** null for what is the group's. */
export function inMember(pointer: ConstraintPointer): InMember | null {
  const [, number, own] = /^\/members\/(\d+)(\/.*)$/.exec(pointer) ?? [];
  return number === undefined || own === undefined ? null : { i: Number(number), pointer: own };
}

function pointerOf(i: number, pointer: ConstraintPointer): ConstraintPointer {
  return `/members/${i}${pointer}`;
}

function ofMember(i: number, pointers: ReadonlySet<ConstraintPointer>): ReadonlySet<ConstraintPointer> {
  return new Set([...pointers].map(inMember).flatMap((at) => (at?.i === i ? [at.pointer] : [])));
}
