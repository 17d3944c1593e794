import type { SegmentList, TunnelAction } from './port.js';

/**
 * One form for lists that split traffic alike: equal lists merged, weights divided by their common divisor (a weight
 * only means something next to the others, RFC 9256 §5.1), sorted by SIDs.
 */
export function canonicalLists(lists: readonly SegmentList[]): readonly SegmentList[] {
  const merged = new Map<string, SegmentList>();
  for (const { sids, weight } of lists) {
    const key = sids.join();
    merged.set(key, { sids, weight: weight + (merged.get(key)?.weight ?? 0) });
  }
  const divisor = [...merged.values()].reduce((common, list) => greatestCommonDivisor(common, list.weight), 0);
  return [...merged]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, { sids, weight }]) => ({ weight: weight / divisor, sids }));
}

/** SRH entries of a list of n SIDs: RFC 8986 §5.1 (H.Encaps) and §5.2 (H.Encaps.Red). */
export function srhEntries(sids: number, encapMode: 'full' | 'reduced'): number {
  return encapMode === 'full' ? sids : sids - 1;
}

/** For logs and reasons: `2 × [fc00:1::1, fc00:3::d4]` */
export function describeAction(action: TunnelAction): string {
  if (action.kind === 'drop') return 'drop';
  const lists = action.segmentLists.map((list) => `${list.weight} × [${list.sids.join(', ')}]`);
  return lists.length === 1 ? `[${action.segmentLists[0]?.sids.join(', ') ?? ''}]` : lists.join(' + ');
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
