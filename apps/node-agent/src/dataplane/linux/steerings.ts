import type { ActualTunnel, Family, SteeredPrefix } from '../port.js';

/** One route of ours. */
export interface Steering extends SteeredPrefix {
  readonly family: Family;
  readonly action: ActualTunnel['action'];
}

/** Routes that forward alike are one tunnel: the kernel does not know which policy each of them is for. */
export function groupSteerings(steerings: readonly Steering[]): readonly ActualTunnel[] {
  const groups = new Map<string, ActualTunnel & { readonly steeredPrefixes: SteeredPrefix[] }>();
  for (const { family, prefix, color, action } of steerings) {
    const key = JSON.stringify([family, action]);
    const group = groups.get(key) ?? { family, bsid: null, action, steeredPrefixes: [] };
    group.steeredPrefixes.push({ prefix, color });
    groups.set(key, group);
  }
  return [...groups.values()];
}
