import { addressFamily, canonicalIpv6, type NodeId } from '@waymark/topology';
import { isCollapse } from '../../model/collapse.js';
import type { ClusterProblem } from '../../model/kubernetes.js';
import type { ClassMember } from '../../model/service-class.js';
import { refusedLabel, type LabelledClass } from './class-label.js';
import type { ClassPod } from './class-objects.js';
import type { LabelsSeen } from './followed-labels.js';
import { PodProblems } from './pod-problems.js';

export interface ClassMembersInput {
  readonly seen: LabelsSeen;
  /** Hosts of the cluster, by the names of their nodes. */
  readonly hosts: ReadonlyMap<string, NodeId>;
  /** What was stated last. */
  readonly stated: readonly ClassMember[];
  /** Namespaces that went together with most others have been gone for long enough to believe it. */
  readonly believesLoss: boolean;
}

export interface ClassMembersFound {
  readonly members: readonly ClassMember[];
  readonly problems: readonly ClusterProblem[];
  /** Namespaces that went together with most others, whose members stay for the time being. */
  readonly lost: ReadonlySet<string>;
}

/** So that the entry of a class always fits a message to its headend; no kubelet runs nearly as many pods. */
export const MAX_CLASS_MEMBERS = 10_000;

interface Candidate extends ClassMember {
  /** It is on its way out: others come before it. */
  readonly isLeaving: boolean;
}

/**
 * Which pods are in which class. Of a pod the own label counts, else that of its namespace. What is not known yet stays as it
 * was stated, and so do namespaces that are gone together with most others: a namespace goes after its pods, so such a
 * cluster has lost its memory. A label that is taken off, of however many, is believed.
 */
export function classMembers({ seen, hosts, stated, believesLoss }: ClassMembersInput): ClassMembersFound {
  const problems = new PodProblems();
  const classOf = new Map(seen.namespaces.map(({ metadata, labelled }) => [metadata.name, labelled]));
  for (const [name, labelled] of classOf) {
    if (labelled.kind === 'invalid') problems.tellNamespace(name, refusedLabel(labelled.value));
  }
  const lost = believesLoss ? new Set<string>() : lostNamespaces(stated, classOf);
  problems.tellLost([...lost].sort());
  const known = new Set(seen.pods.map(keyOf));
  const unlisted = stated.filter(
    ({ namespace, pod }) => seen.unlisted.has(namespace) && !known.has(`${namespace}/${pod}`),
  );
  const candidates: Candidate[] = [
    ...unlisted.map((member) => ({ ...member, isLeaving: false })),
    ...stated.filter(({ namespace }) => lost.has(namespace)).map((member) => ({ ...member, isLeaving: true })),
    ...seen.pods.flatMap((pod) => candidatesOf(pod, classOf.get(pod.metadata.namespace ?? ''), hosts, problems)),
  ];
  const members = withinLimit(eachAddressOnce(candidates, stated, problems), problems);
  return { members, problems: problems.all(), lost };
}

function keyOf({ metadata: { name, namespace = '' } }: ClassPod): string {
  return `${namespace}/${name}`;
}

function lostNamespaces(
  stated: readonly ClassMember[],
  present: ReadonlyMap<string, LabelledClass>,
): ReadonlySet<string> {
  const before = new Set(stated.map(({ namespace }) => namespace));
  const gone = [...before].filter((name) => !present.has(name));
  return new Set(isCollapse(gone.length, before.size) ? gone : []);
}

function candidatesOf(
  pod: ClassPod,
  ofNamespace: LabelledClass | undefined,
  hosts: ReadonlyMap<string, NodeId>,
  problems: PodProblems,
): Candidate[] {
  const { name, namespace = '' } = pod.metadata;
  const own = pod.labelled;
  if (own.kind === 'invalid') problems.tellPod(namespace, name, refusedLabel(own.value));
  const effective = own.kind === 'none' && own.value === null ? ofNamespace : own;
  if (effective?.kind !== 'color' || pod.node === undefined || pod.addresses.length === 0) return [];
  const headend = hosts.get(pod.node);
  if (headend === undefined) {
    problems.tellNode(pod.node, namespace, name);
    return [];
  }
  const isLeaving = pod.isBeingDeleted;
  return pod.addresses.flatMap((text) => {
    const address = canonicalAddress(text);
    if (address === undefined) {
      problems.tellPod(namespace, name, 'one of its podIPs is not an IP address');
      return [];
    }
    return [{ headend, address, color: effective.color, namespace, pod: name, isLeaving }];
  });
}

function canonicalAddress(text: string): string | undefined {
  const family = addressFamily(text);
  return family === 'ipv6' ? canonicalIpv6(text) : family && text;
}

/** Of several pods with one address: one that stays before one that is being deleted, then who had it, then by name. */
function eachAddressOnce(
  candidates: readonly Candidate[],
  stated: readonly ClassMember[],
  problems: PodProblems,
): ClassMember[] {
  const holders = new Map(stated.map(({ address, namespace, pod }) => [address, `${namespace}/${pod}`]));
  const rank = (one: Candidate): string => {
    const name = `${one.namespace}/${one.pod}`;
    return `${Number(one.isLeaving)}${Number(holders.get(one.address) !== name)}${name}`;
  };
  const taken = new Map<string, Candidate>();
  for (const candidate of candidates) {
    const other = taken.get(candidate.address);
    if (other === undefined) {
      taken.set(candidate.address, candidate);
      continue;
    }
    const [winner, loser] = rank(candidate) < rank(other) ? [candidate, other] : [other, candidate];
    taken.set(candidate.address, winner);
    const isSamePod = winner.namespace === loser.namespace && winner.pod === loser.pod;
    if (loser.isLeaving || isSamePod) continue;
    const message = `its address ${loser.address} is also that of pod ${winner.namespace}/${winner.pod}, which keeps it`;
    problems.tellPod(loser.namespace, loser.pod, message);
  }
  return [...taken.values()].map(({ headend, address, color, namespace, pod }) => {
    return { headend, address, color, namespace, pod };
  });
}

function withinLimit(members: readonly ClassMember[], problems: PodProblems): ClassMember[] {
  const counts = new Map<string, number>();
  return [...members].sort(byPlace).filter(({ headend, color, namespace, pod }) => {
    const key = `${headend} ${color}`;
    const count = (counts.get(key) ?? 0) + 1;
    counts.set(key, count);
    if (count <= MAX_CLASS_MEMBERS) return true;
    problems.tellPod(namespace, pod, `class ${color} has ${MAX_CLASS_MEMBERS} addresses on ${headend} already`);
    return false;
  });
}

function byPlace(a: ClassMember, b: ClassMember): number {
  if (a.headend !== b.headend) return a.headend < b.headend ? -1 : 1;
  return a.address < b.address ? -1 : Number(a.address > b.address);
}
