import type { Snapshot } from '../snapshot/snapshot.js';

/**
 * Usable links of least IGP metric from an attachment router to its host; none where another host that has the same SIDs is as
 * near: it would get them all, or a part.
 */
export function hostLinks(snapshot: Snapshot, router: number, host: number, others: readonly number[] = []): number[] {
  const { arcTo, igpMetric } = snapshot.data;
  const links = snapshot
    .linksOf(router)
    .filter((arc) => (arcTo[arc] === host || others.includes(arcTo[arc] as number)) && snapshot.isUsable(arc));
  const least = Math.min(...links.map((arc) => igpMetric[arc] as number));
  const used = links.filter((arc) => igpMetric[arc] === least);
  return used.every((arc) => arcTo[arc] === host) ? used : [];
}
