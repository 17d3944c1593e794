import type { Family } from '../port.js';
import { colorOfTable, tableOfColor } from './class-table-ids.js';
import { DEFAULT_ROUTES } from './default-route.js';
import { dropRoute, isDropped, isLookedUpIn, lookupRoute, routeRemoval } from './routes.js';
import type { VppSettings } from './settings.js';
import type { Vpp } from './vpp-link.js';
import { FIB_SOURCE_API, hasTable, readTables, type VppSteering, type VppTable } from './vpp-state.js';

/*
 * A service class has a FIB table of its own in each family, which the agent makes, names, and takes away:
 *
 *     prefix of the class → steering into the SR policy of its color
 *     exception           → look it up in the table of all pods          (class-exceptions.ts)
 *     edge block          → drop
 *     everything else     → look it up in the table of all pods
 */

const FAMILIES: readonly Family[] = ['ipv4', 'ipv6'];

type Settings = Pick<VppSettings, 'table' | 'classTables' | 'edgeBlocks'>;

/** Its name marks a table as ours. */
export function classTableName(color: number): string {
  return `waymark class ${color}`;
}

export interface ClassTable extends VppTable {
  readonly color: number;
}

/** Those with our mark. */
export function ownClassTables(tables: readonly VppTable[], settings: Settings): readonly ClassTable[] {
  return tables.flatMap((table) => {
    const color = colorOfTable(settings, table.id);
    return color !== null && table.name === classTableName(color) ? [{ ...table, color }] : [];
  });
}

/** Colors whose table has no mark of ours, and what has it. A table of a pod beside Calico-VPP may have any id. */
export function takenColors(tables: readonly VppTable[], settings: Settings): ReadonlyMap<number, string> {
  return new Map(
    tables.flatMap(({ family, id, name }) => {
      const color = colorOfTable(settings, id);
      if (color === null || name === classTableName(color)) return [];
      return [[color, `${family} table ${id}, "${name}", is not ours; take another WAYMARK_VPP_CLASS_TABLES`]];
    }),
  );
}

/** Makes the tables of these colors, whole with their routes, where they are missing. Colors that are taken are left out. */
export async function layClassTables(vpp: Vpp, settings: Settings, colors: Iterable<number>): Promise<void> {
  const wanted = [...new Set(colors)];
  if (wanted.length === 0) return;
  const tables = await readTables(vpp);
  const taken = takenColors(tables, settings);
  const free = wanted.filter((color) => !taken.has(color));
  await Promise.all(
    free.flatMap((color) => FAMILIES.map((family) => layClassTable(vpp, settings, tables, family, color))),
  );
}

async function layClassTable(
  vpp: Vpp,
  settings: Settings,
  tables: readonly VppTable[],
  family: Family,
  color: number,
): Promise<void> {
  const id = tableOfColor(settings, color);
  if (!hasTable(tables, family, id)) {
    const table = { table_id: id, is_ip6: family === 'ipv6', name: classTableName(color) };
    await vpp.call('ip_table_add_del', { is_add: true, table });
  }
  const prefix = DEFAULT_ROUTES[family];
  if (!(await isLookedUpIn(vpp, prefix, id, settings.table))) {
    await vpp.call('ip_route_add_del', lookupRoute(prefix, id, settings.table));
  }
  if (family === 'ipv4') return;
  await Promise.all(
    settings.edgeBlocks.map(async (block) => {
      if (!(await isDropped(vpp, block, id))) await vpp.call('ip_route_add_del', dropRoute(block, id));
    }),
  );
}

/**
 * Removes the tables of ours that nothing leads to and nothing is steered in, with all routes: what stays in a table that goes
 * stays for good. A table that is missing in the other family is no reason to keep one.
 *
 * @param sources ids of FIB tables that sessions lead to
 */
export async function removeUnusedClassTables(
  vpp: Vpp,
  settings: Settings,
  sources: Iterable<number>,
  steerings: readonly VppSteering[],
): Promise<void> {
  const used = new Set([...sources, ...steerings.map(({ table }) => table)]);
  const unused = ownClassTables(await readTables(vpp), settings).filter(({ id }) => !used.has(id));
  await Promise.all(unused.map((table) => removeClassTable(vpp, table)));
}

async function removeClassTable(vpp: Vpp, { family, id, name }: VppTable): Promise<void> {
  const table = { table_id: id, is_ip6: family === 'ipv6', name };
  const routes = await vpp.dump('ip_route_v2_dump', { src: FIB_SOURCE_API, table });
  await Promise.all(routes.map(({ route }) => vpp.call('ip_route_add_del', routeRemoval(route.prefix, id))));
  await vpp.call('ip_table_add_del', { is_add: false, table });
}
