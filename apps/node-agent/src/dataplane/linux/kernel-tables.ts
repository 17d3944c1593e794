import { canonicalPrefix } from '../address.js';
import { DataPlaneError, type Family } from '../port.js';
import type { KernelRule } from './kernel-rule.js';
import { parseRoutes, type KernelRoute } from './route-json.js';
import type { Shell } from './shell.js';

export const FAMILY_FLAG = { ipv4: '-4', ipv6: '-6' } as const;

/** @param selection `table 254`, `table all proto 200`; filtered, routes tell no protocol */
export async function readRoutes(family: Family, selection: string, shell: Shell): Promise<KernelRoute[]> {
  // With counters (-s), because only then local SIDs tell that they are counted.
  const args = [FAMILY_FLAG[family], '-s', '-N', '-j', '-d', 'route', 'show', ...selection.split(' ')];
  const { code, stdout, stderr } = await shell.run('ip', args);
  // A table comes into being with its first route.
  if (stderr.includes('FIB table does not exist')) return [];
  if (code !== 0) throw new DataPlaneError(`the ${family} routes cannot be read: ${stderr.trim()}`);
  return parseRoutes(stdout, family);
}

/** In the order in which the kernel consults them. */
export async function readRules(family: Family, shell: Shell): Promise<KernelRule[]> {
  const { code, stdout, stderr } = await shell.run('ip', [FAMILY_FLAG[family], '-N', '-j', '-d', 'rule', 'show']);
  if (code !== 0) throw new DataPlaneError(`the ${family} rules cannot be read: ${stderr.trim()}`);
  const parsed: unknown = JSON.parse(stdout.trim() === '' ? '[]' : stdout);
  return (Array.isArray(parsed) ? parsed : []).map((fields: Readonly<Record<string, unknown>>): KernelRule => {
    const { priority, protocol, src, srclen, dst, dstlen, table } = fields;
    return {
      preference: Number(priority),
      protocol: Number(protocol),
      from: prefixIn(src, srclen),
      to: prefixIn(dst, dstlen),
      table: table === undefined ? null : Number(table),
      fields,
    };
  });
}

/** The table of a route from a reading that was not of one table only. */
export function tableOf({ fields }: KernelRoute): number {
  return Number(fields['table']);
}

function prefixIn(address: unknown, length: unknown): string | null {
  if (typeof address !== 'string' || address === 'all') return null;
  return canonicalPrefix(typeof length === 'number' ? `${address}/${length}` : address);
}
