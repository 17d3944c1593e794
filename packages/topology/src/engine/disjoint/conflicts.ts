import type { Risks } from './risks.js';
import type { GroupMember, Route } from './group-member.js';

/** Two members, by number, that meet in a risk which they may not share. */
export interface RiskConflict {
  readonly kind: 'risk';
  readonly risk: number;
  readonly one: number;
  readonly other: number;
}

/** Members that do not fit on an arc together. */
export interface CapacityConflict {
  readonly kind: 'capacity';
  readonly arc: number;
  readonly members: readonly number[];
}

const WEIGHT = { site: 3, srlg: 2, node: 1, link: 0 } as const;

export function isShareable(risk: number, one: GroupMember, other: GroupMember): boolean {
  return one.shareable.has(risk) && other.shareable.has(risk);
}

/** Risks that other members are forced to take, and that a member may not share with them. */
export function forcedByOthers(members: readonly GroupMember[], member: GroupMember): number[] {
  const others = members.filter((other) => other !== member).flatMap((other) => [...other.forced]);
  return [...new Set(others)].filter((risk) => !member.shareable.has(risk)).sort((a, b) => a - b);
}

/** What two members meet in, each risk of each pair once: those of the widest kind first, with which most others go away. */
export function riskConflicts(risks: Risks, members: readonly GroupMember[], routes: readonly Route[]): RiskConflict[] {
  const weight = ({ risk }: RiskConflict) => WEIGHT[risks.kindOf(risk)];
  return [...meetings(members, routes)].sort((a, b) => weight(b) - weight(a));
}

/** Every risk in which two members meet though they may not, in the order in which the first of them passes it. */
export function* meetings(members: readonly GroupMember[], routes: readonly Route[]): Generator<RiskConflict> {
  for (let other = 1; other < members.length; other++) {
    for (let one = 0; one < other; one++) {
      for (const risk of (routes[one] as Route).risks) {
        if (!(routes[other] as Route).risks.has(risk)) continue;
        if (isShareable(risk, members[one] as GroupMember, members[other] as GroupMember)) continue;
        yield { kind: 'risk', risk, one, other };
      }
    }
  }
}

/** An arc on which members that may share it do not fit together. */
export function capacityConflict(
  members: readonly GroupMember[],
  routes: readonly Route[],
  unreservedBps: Float64Array,
): CapacityConflict | null {
  const demand = new Map<number, number>();
  const users = new Map<number, number[]>();
  routes.forEach((route, i) => {
    const { bandwidthBps } = members[i] as GroupMember;
    if (bandwidthBps === 0) return;
    for (const [arc, share] of route.load) {
      demand.set(arc, (demand.get(arc) ?? 0) + share * bandwidthBps);
      users.set(arc, [...(users.get(arc) ?? []), i]);
    }
  });
  for (const [arc, together] of users) {
    if (together.length > 1 && !fits(demand.get(arc) as number, unreservedBps[arc] as number)) {
      return { kind: 'capacity', arc, members: together };
    }
  }
  return null;
}

/** Shares such as 1/3 are not exact in binary; bandwidths are whole numbers, so that a hundredth of a bit is no difference. */
export function fits(demandBps: number, unreservedBps: number): boolean {
  return demandBps <= unreservedBps + 0.01;
}
