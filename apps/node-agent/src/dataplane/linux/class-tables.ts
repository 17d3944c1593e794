import type { ClassSource, Family } from '../port.js';
import type { LinuxSettings } from './settings.js';

/*
 * Packets from the sources of a service class meet its table before the others:
 *
 *     100    from 10.1.0.7  lookup 10200       (a source of class 200; one rule each)
 *     32766  from all       lookup main
 *
 *     table 10200:  10.2.0.0/24 encap seg6 ... metric 90      what the class steers
 *                   throw 10.2.0.9/32 metric 91               a more specific route of main, which would be hidden
 *
 * What no route of the class matches, or a `throw`, goes on to the next rule, as packets without a class do.
 */

export type ClassTableSettings = Pick<LinuxSettings, 'classTableBase' | 'table' | 'probePrefix' | 'probeTable'>;

const LARGEST_TABLE = 4_294_967_295;

export const MAIN_TABLE = 254;

export function classTable(color: number, { classTableBase }: ClassTableSettings): number {
  return classTableBase + color;
}

/** The color whose table this is, or null. */
export function colorOfTable(table: number, settings: ClassTableSettings): number | null {
  return table > settings.classTableBase && usageOf(table, settings) === null ? table - settings.classTableBase : null;
}

export function familyOf({ address }: ClassSource): Family {
  return address.includes(':') ? 'ipv6' : 'ipv4';
}

/** Why there can be no table for the color, or null. */
export function objectionToClassTable(color: number, settings: ClassTableSettings): string | null {
  const table = classTable(color, settings);
  const remedy = 'set WAYMARK_LINUX_CLASS_TABLE_BASE';
  if (table > LARGEST_TABLE) {
    return `the table of class ${color} would be ${table}; ${LARGEST_TABLE} is the largest there is; ${remedy} lower`;
  }
  const usage = usageOf(table, settings);
  return usage === null ? null : `the table of class ${color} would be ${table}, ${usage}; ${remedy} to another number`;
}

function usageOf(table: number, { table: steering, probePrefix, probeTable }: ClassTableSettings): string | null {
  if (table === steering) return "which is the agent's own";
  const probes = probePrefix !== null && (table === probeTable || table === probeTable + 1);
  return probes ? 'which is for probes' : null;
}
