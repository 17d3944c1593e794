import { inPrefix } from '../address.js';
import type { ClassSource, Family, LocalSid, ProbeRoute, Stray } from '../port.js';
import { isException } from './class-exceptions.js';
import { foreignRouteIn } from './class-places.js';
import { interpretRules } from './class-rules.js';
import { classTable, colorOfTable } from './class-tables.js';
import { readRoutes, readRules, tableOf } from './kernel-tables.js';
import { isReturnRoute } from './probe-rules.js';
import { describeRoute, interpretClassRoute, interpretRoute, probeRouteOf, type KernelRoute } from './route-json.js';
import type { LinuxSettings } from './settings.js';
import type { Shell } from './shell.js';
import type { Steering } from './steerings.js';

/** What the routes and rules of one family hold of ours, and what of others stands in its way. */
export interface FoundFamily {
  readonly steerings: readonly Steering[];
  readonly localSids: readonly LocalSid[];
  readonly probeRoutes: readonly ProbeRoute[];
  readonly classSources: readonly ClassSource[];
  readonly strays: readonly Stray[];
  readonly obstacles: readonly (readonly [string, string])[];
  readonly classObstacles: readonly (readonly [number, string])[];
  /** Something of ours is in the table of a class. */
  readonly hasClassRoutes: boolean;
}

/** Throws DataPlaneError when iproute2 does not tell. */
export async function readFamily(family: Family, settings: LinuxSettings, shell: Shell): Promise<FoundFamily> {
  const { table, metric, protocol } = settings;
  const [inTable, marked, rules] = await Promise.all([
    // Of one table only: a route that decapsulates into a table tells that one twice otherwise, and its own not at all.
    readRoutes(family, `table ${table}`, shell),
    readRoutes(family, `table all proto ${protocol}`, shell),
    readRules(family, shell),
  ]);
  const { classSources, strays, classObstacles } = interpretRules(rules, family, settings);
  const steerings: Steering[] = [];
  const localSids: LocalSid[] = [];
  for (const route of inTable) {
    if (route.protocol !== protocol || route.metric !== metric) continue;
    const found = interpretRoute(route, settings);
    if (found.kind === 'local-sid') localSids.push(found.localSid);
    else steerings.push({ family, color: null, ...found });
  }
  const probeRoutes: ProbeRoute[] = [];
  const strayRoutes: Stray[] = [];
  for (const route of marked) {
    const color = colorOfTable(tableOf(route), settings);
    if (holdsProbes(route, settings)) probeRoutes.push(probeRouteOf(route, settings));
    else if (color !== null && route.metric === metric) {
      steerings.push({ family, color, ...interpretClassRoute(route, settings) });
    } else if (!isInPlace(route, settings)) strayRoutes.push(strayOf(family, route, protocol));
  }
  const withRoutes = marked.map((route) => colorOfTable(tableOf(route), settings)).filter((color) => color !== null);
  const colors = new Set([...withRoutes, ...classSources.map(({ color }) => color)]);
  const intruders = await Promise.all(
    [...colors].map(async (color): Promise<readonly (readonly [number, string])[]> => {
      const foreign = await foreignRouteIn({ family, color }, settings, shell);
      return foreign === null ? [] : [[color, `${foreign} in its table ${classTable(color, settings)}`]];
    }),
  );
  return {
    steerings,
    localSids,
    probeRoutes,
    classSources,
    strays: [...strayRoutes, ...strays],
    // A route with a larger metric may stay: ours goes before it, and it serves again when ours is withdrawn.
    obstacles: inTable
      .filter((route) => route.protocol !== protocol && route.metric <= metric)
      .map((route) => [route.prefix, `route ${describeRoute(route)}`]),
    classObstacles: [...classObstacles, ...intruders.flat()],
    hasClassRoutes: withRoutes.length > 0,
  };
}

function isInPlace(route: KernelRoute, settings: LinuxSettings): boolean {
  const table = tableOf(route);
  if (table === settings.table && route.metric === settings.metric) return true;
  return isReturnRoute(route, settings) || (colorOfTable(table, settings) !== null && isException(route, settings));
}

/** Whether a route of ours is a probe route, rightly or wrongly written. */
function holdsProbes(route: KernelRoute, settings: LinuxSettings): boolean {
  const { probePrefix, probeTable } = settings;
  if (probePrefix === null || tableOf(route) !== probeTable || route.metric !== settings.metric) return false;
  return route.prefix.endsWith('/128') && inPrefix(probePrefix)(route.prefix);
}

function strayOf(family: Family, route: KernelRoute, protocol: number): Stray {
  const text = `${route.prefix} table ${tableOf(route)} metric ${route.metric} proto ${protocol}`;
  return { family, id: `route del ${text}`, description: `route ${text}` };
}
