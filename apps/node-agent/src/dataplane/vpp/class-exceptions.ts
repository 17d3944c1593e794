import { maskedPrefix } from '../address.js';
import type { Family } from '../port.js';
import { neededExceptions } from '../needed-exceptions.js';
import { CALICO_TABLE } from './calico-exceptions.js';
import { ownClassTables, type ClassTable } from './class-tables.js';
import type { Ownership } from './ownership.js';
import { DEFAULT_ROUTES } from './default-route.js';
import { lookupRoute, looksUpIn, readRoutes, routeRemoval } from './routes.js';
import type { VppSettings } from './settings.js';
import type { Vpp } from './vpp-link.js';
import type { VppSteering, VppTable } from './vpp-state.js';

/** A prefix that will be steered next. */
export interface ComingSteering {
  readonly family: Family;
  readonly table: number;
  readonly prefix: string;
}

/**
 * A prefix that is steered in the table of a class goes before everything in the table of all pods and in those that it goes
 * on to. More specific routes there that are not steering of ours get a route in the class's table that has them looked up in
 * that of all pods after all. Nothing else in tables of ours looks there, so that those that are needed no more are known.
 * Returns how many it added or removed.
 *
 * @param steerings all there are
 */
export async function layClassExceptions(
  vpp: Vpp,
  ownership: Ownership,
  tables: readonly VppTable[],
  steerings: readonly VppSteering[],
  coming: readonly ComingSteering[],
): Promise<number> {
  const { settings } = ownership;
  const steeredForAll = steeredForAllPods(ownership, steerings);
  // Read once, however many classes there are: beside Calico-VPP there may be thousands.
  const read = new Map<Family, Promise<readonly string[]>>();
  const routesOf = (family: Family): Promise<readonly string[]> => {
    const routes = read.get(family) ?? readRoutesOfAllPods(vpp, settings, family);
    read.set(family, routes);
    return routes;
  };
  const counts = await Promise.all(
    ownClassTables(tables, settings).map((classTable) => {
      const isThere = ({ table, family }: ComingSteering) => table === classTable.id && family === classTable.family;
      const ours = steerings.filter((steering) => isThere(steering) && ownership.ownsBsid(steering.bsid));
      const prefixes = [...ours, ...coming.filter(isThere)].map(({ prefix }) => prefix);
      const { family } = classTable;
      const neededExceptionsOf = async () =>
        neededExceptions(prefixes, await routesOf(family), steeredForAll, settings.edgeBlocks);
      return layOfTable(vpp, settings, classTable, prefixes.length === 0 ? null : neededExceptionsOf);
    }),
  );
  return counts.reduce((sum, count) => sum + count, 0);
}

/** @param neededOf null: nothing is steered there */
async function layOfTable(
  vpp: Vpp,
  { table: ofAllPods }: VppSettings,
  { family, id }: ClassTable,
  neededOf: (() => Promise<ReadonlySet<string>>) | null,
): Promise<number> {
  const inOurs = await readRoutes(vpp, family, id);
  const present = inOurs.filter((route) => route.prefix !== DEFAULT_ROUTES[family] && looksUpIn(route, ofAllPods));
  const needed = neededOf === null ? new Set<string>() : await neededOf();
  const taken = new Set(inOurs.map(({ prefix }) => prefix));
  const missing = [...needed].filter((prefix) => !taken.has(prefix));
  const obsolete = present.filter(({ prefix }) => !needed.has(prefix));
  await Promise.all([
    ...missing.map((prefix) => vpp.call('ip_route_add_del', lookupRoute(prefix, id, ofAllPods))),
    ...obsolete.map(({ prefix }) => vpp.call('ip_route_add_del', routeRemoval(prefix, id))),
  ]);
  return missing.length + obsolete.length;
}

async function readRoutesOfAllPods(
  vpp: Vpp,
  { table, besideCalico }: VppSettings,
  family: Family,
): Promise<readonly string[]> {
  const looked = besideCalico ? [table, CALICO_TABLE] : [table];
  const routes = await Promise.all(looked.map((each) => readRoutes(vpp, family, each)));
  return routes.flat().map(({ prefix }) => prefix);
}

/** What we steer for all pods, and what Calico-VPP steers in its own table, is what a class goes before. */
function steeredForAllPods(ownership: Ownership, steerings: readonly VppSteering[]): ReadonlySet<string> {
  const { table, besideCalico } = ownership.settings;
  const steered = steerings.filter(
    (steering) =>
      (steering.table === table && ownership.ownsBsid(steering.bsid)) ||
      (besideCalico && steering.table === CALICO_TABLE),
  );
  return new Set(steered.flatMap(({ parts }) => parts.map(maskedPrefix)));
}
