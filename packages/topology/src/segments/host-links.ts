import type { Snapshot } from '../snapshot/snapshot.js';

/** Usable links of least IGP metric from an attachment router to its host. */
export function hostLinks(snapshot: Snapshot, router: number, host: number): number[] {
  const { arcTo, igpMetric } = snapshot.data;
  const links = snapshot.linksOf(router).filter((arc) => arcTo[arc] === host && snapshot.isUsable(arc));
  const least = Math.min(...links.map((arc) => igpMetric[arc] as number));
  return links.filter((arc) => igpMetric[arc] === least);
}
