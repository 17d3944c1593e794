import type { VppSteering } from './vpp-state.js';

/** Identifies a steering, wanted or found. */
export function idOf({ family, table, prefix }: Pick<VppSteering, 'family' | 'table' | 'prefix'>): string {
  return `${family} ${prefix} in table ${table}`;
}

/** The same of what VPP has for it: a default route in halves and one steered whole are two. */
export function idOfParts({ parts, ...steering }: Pick<VppSteering, 'family' | 'table' | 'parts'>): string {
  return idOf({ ...steering, prefix: parts.join(' and ') });
}
