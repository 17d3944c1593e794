import type { AddressFamily, LinkId, ListEntry, NodeId, PathMetrics, Segment, SegmentList } from '@waymark/topology';
import type { Standby, TransportList } from '../compute/evaluate-policies-model.js';
import type { PolicyList } from '../model/sr-policy.js';

/*
 * Lists as policy_state keeps them: what follows from something else is left out, and rows have positions in place of
 * names. A mesh of 200,000 policies would otherwise store more than a gigabyte of names.
 */

type StoredMetrics = readonly [
  igp: number,
  te: number,
  delayUs: number | null,
  delayVariationUs: number | null,
  lossPpm: number | null,
  hops: number,
];
type StoredSegment = readonly [
  sid: string,
  behavior: Segment['behavior'],
  node: NodeId,
  linkId: LinkId | null,
  origin: Segment['origin'],
];

export interface StoredFamily {
  readonly family: AddressFamily | null;
  /** The service SID. */
  readonly service: readonly StoredSegment[];
  /** What is pushed, and how many SIDs each carries; left out where each is one SID. */
  readonly entries?: readonly (readonly [address: string, sids: number])[];
  readonly headerBytes: number;
  readonly srhEntries: number;
  readonly mtu: number | null;
  readonly worst: StoredMetrics;
  readonly best: StoredMetrics;
  readonly singlePath: boolean;
  readonly planned: boolean;
}

export interface StoredList {
  readonly weight: number;
  readonly nodes: readonly NodeId[];
  readonly links: readonly LinkId[];
  readonly metrics: StoredMetrics;
  readonly transport: readonly StoredSegment[];
  readonly families: readonly StoredFamily[];
  /** null: all traffic crosses exactly `links`. */
  readonly load: readonly (readonly [LinkId, number])[] | null;
}

export interface StoredStandby {
  /** Discriminator of its candidate path. */
  readonly candidate: number;
  readonly metric: Standby['metric'];
  readonly lists: readonly StoredList[];
}

export function storedStandby({ candidate, metric, lists }: Standby): StoredStandby {
  return { candidate, metric, lists: lists.map(storedList) };
}

export function storedList(list: PolicyList): StoredList {
  const everywhere = list.load.every(({ share }) => share === 1) && list.load.length === new Set(list.links).size;
  return {
    weight: list.weight,
    nodes: list.nodes,
    links: list.links,
    metrics: storedMetrics(list.metrics),
    transport: list.transport.map(storedSegment),
    families: list.segmentLists.map((finished) => ({
      family: finished.family,
      service: finished.segments.slice(list.transport.length).map(storedSegment),
      ...storedEntries(finished),
      headerBytes: finished.headerBytes,
      srhEntries: finished.srhEntries,
      mtu: finished.pathMtuBytes,
      worst: storedMetrics(finished.proof.worst),
      best: storedMetrics(finished.proof.best),
      singlePath: finished.proof.singlePath,
      planned: finished.proof.usesPlannedSids,
    })),
    load: everywhere ? null : list.load.map(({ linkId, share }) => [linkId, share] as const),
  };
}

export function policyList(stored: StoredList): PolicyList {
  const transport = stored.transport.map(segment);
  const segmentsOf = (family: StoredFamily) => [...transport, ...family.service.map(segment)];
  const load = stored.load ?? [...new Set(stored.links)].sort().map((linkId) => [linkId, 1] as const);
  return {
    weight: stored.weight,
    nodes: stored.nodes,
    links: stored.links,
    metrics: metrics(stored.metrics),
    transport,
    segmentLists: stored.families.map((family) => ({
      family: family.family,
      segments: segmentsOf(family),
      entries: entriesOf(
        segmentsOf(family).map(({ sid }) => sid),
        family.entries,
      ),
      headerBytes: family.headerBytes,
      srhEntries: family.srhEntries,
      // Lists of policies end in a service SID.
      decapsulates: true,
      pathMtuBytes: family.mtu,
      proof: {
        worst: metrics(family.worst),
        best: metrics(family.best),
        singlePath: family.singlePath,
        usesPlannedSids: family.planned,
      },
    })),
    load: load.map(([linkId, share]) => ({ linkId, share })),
  };
}

export function transportOf(stored: StoredList): TransportList {
  return { weight: stored.weight, sids: stored.transport.map(([sid]) => sid) };
}

/** What the headend pushes for a family, in the order of travel. */
export function pushedEntries(stored: StoredList, family: StoredFamily): readonly string[] {
  return family.entries?.map(([address]) => address) ?? [...stored.transport, ...family.service].map(([sid]) => sid);
}

function storedEntries({ entries, segments }: SegmentList): Pick<StoredFamily, 'entries'> {
  if (entries.length === segments.length) return {};
  return { entries: entries.map(({ address, sids }) => [address, sids.length] as const) };
}

function entriesOf(sids: readonly string[], stored: StoredFamily['entries']): ListEntry[] {
  if (stored === undefined) return sids.map((sid) => ({ address: sid, sids: [sid] }));
  let next = 0;
  return stored.map(([address, count]) => ({ address, sids: sids.slice(next, (next += count)) }));
}

function storedMetrics(value: PathMetrics): StoredMetrics {
  return [value.igp, value.te, value.delayUs, value.delayVariationUs, value.lossPpm, value.hops];
}

function metrics([igp, te, delayUs, delayVariationUs, lossPpm, hops]: StoredMetrics): PathMetrics {
  return { igp, te, delayUs, delayVariationUs, lossPpm, hops };
}

function storedSegment({ sid, behavior, node, linkId, origin }: Segment): StoredSegment {
  return [sid, behavior, node, linkId, origin];
}

function segment([sid, behavior, node, linkId, origin]: StoredSegment): Segment {
  return { sid, behavior, node, linkId, origin };
}
