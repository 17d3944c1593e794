import type { ArcCounts } from './counters.js';
import type { Testbed } from './testbed.js';

/** The way a flow's packets went, as the counters of every machine on it tell. */
export interface ObservedRoute {
  /** Headend first. More than one next hop at a node shows as several routes. */
  readonly nodes: readonly string[];
  readonly links: readonly string[];
  /** The fewest and the most packets counted on a link of the route. */
  readonly packets: { readonly min: number; readonly max: number };
}

/**
 * Follows the arcs that counted packets from the headend on, each arc once. Returns the routes that were taken: one, unless
 * the traffic was split.
 */
export function routesTaken(counts: ArcCounts, testbed: Testbed, headend: string): readonly ObservedRoute[] {
  const routes: ObservedRoute[] = [];
  const follow = (node: string, nodes: readonly string[], links: readonly string[]): void => {
    const onward = testbed.arcs.filter(({ id, from }) => from === node && !links.includes(id) && counts.has(id));
    if (onward.length === 0 && links.length > 0) {
      const packets = links.map((link) => counts.get(link) ?? 0);
      routes.push({ nodes, links, packets: { min: Math.min(...packets), max: Math.max(...packets) } });
    }
    for (const { id, to } of onward) follow(to, [...nodes, to], [...links, id]);
  };
  follow(headend, [headend], []);
  return routes;
}
