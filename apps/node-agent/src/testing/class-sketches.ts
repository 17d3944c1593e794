import type { ClassSketch, PolicySketch } from './policies.js';

/** A policy over one way, or that drops without one, for everybody's prefixes and those of its class. */
export function classPolicy(
  color: number,
  way: string | null,
  prefixes: readonly string[],
  classPrefixes: readonly string[],
): PolicySketch {
  const of = (sid: string, ipv6: boolean) => ({
    lists: way === null ? ('drop' as const) : [[1, way, sid] as const],
    prefixes: prefixes.filter((prefix) => prefix.includes(':') === ipv6),
    classPrefixes: classPrefixes.filter((prefix) => prefix.includes(':') === ipv6),
  });
  return { id: `h1:${color}:h2`, ipv4: of('fc00:2::d4', false), ipv6: of('fc00:2::d6', true) };
}

/** Service classes of a headend: addresses of their pods by color. */
export function classesOf(sources: Readonly<Record<number, readonly string[]>>): readonly ClassSketch[] {
  return Object.entries(sources).map(([color, addresses]) => ({ id: `h1:${color}:h1`, sources: addresses }));
}
