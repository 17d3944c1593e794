import { readEntries, type Snapshot } from '@waymark/topology';
import type { CandidatePathIntent } from '../model/sr-policy.js';
import type { TransportList } from './evaluate-policies-model.js';

/**
 * The candidate path with the containers of hand-written lists taken apart, so that lists compare SID by SID whichever way
 * they were written. What cannot be read stays as it is, for the proof to object to.
 */
export function withReadLists(snapshot: Snapshot, candidate: CandidatePathIntent): CandidatePathIntent {
  const { path } = candidate;
  if (path.kind === 'dynamic') return candidate;
  return { ...candidate, path: { ...path, segmentLists: path.segmentLists.map((list) => readList(snapshot, list)) } };
}

function readList(snapshot: Snapshot, list: TransportList): TransportList {
  if (list.sids.every((sid) => snapshot.sidOf(sid) >= 0)) return list;
  const { sids, objection } = readEntries(snapshot, list.sids);
  return objection === null ? { ...list, sids: sids.map((sid) => snapshot.sidTextOf(sid)) } : list;
}
