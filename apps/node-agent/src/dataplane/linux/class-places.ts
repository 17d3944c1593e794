import type { Family, Step } from '../port.js';
import { classTable, familyOf } from './class-tables.js';
import { readRoutes } from './kernel-tables.js';
import { describeRoute } from './route-json.js';
import type { LinuxSettings } from './settings.js';
import type { Shell } from './shell.js';

/** Where something of a class goes; each family has tables of its own. */
export interface ClassPlace {
  readonly family: Family;
  readonly color: number;
}

/** The places of classes that a step puts something in. */
export function placesOf(step: Step): readonly ClassPlace[] {
  if (step.kind === 'put-class-source') return [{ family: familyOf(step.source), color: step.source.color }];
  if (step.kind !== 'put-tunnel') return [];
  const { family } = step.tunnel;
  return [...new Set(step.steer.map(({ color }) => color))].flatMap((color) =>
    color === null ? [] : [{ family, color }],
  );
}

/**
 * Why nothing may be put in the places, by the text of a place: something else has routes there. Looked at before each
 * write, so that nodes without classes read no further tables. Throws DataPlaneError.
 */
export async function takenPlaces(
  places: readonly ClassPlace[],
  settings: LinuxSettings,
  shell: Shell,
): Promise<ReadonlyMap<string, string>> {
  const distinct = new Map(places.map((place) => [placeText(place), place]));
  const found = await Promise.all(
    [...distinct].map(async ([text, { family, color }]): Promise<readonly (readonly [string, string])[]> => {
      const foreign = await foreignRouteIn({ family, color }, settings, shell);
      if (foreign === null) return [];
      const table = classTable(color, settings);
      return [[text, `table ${table}, that of class ${color}, is not Waymark's alone: ${foreign}`]];
    }),
  );
  return new Map(found.flat());
}

/** A route of something else in the table of a class, in words, or null. Throws DataPlaneError. */
export async function foreignRouteIn(
  { family, color }: ClassPlace,
  settings: LinuxSettings,
  shell: Shell,
): Promise<string | null> {
  const routes = await readRoutes(family, `table ${classTable(color, settings)}`, shell);
  const foreign = routes.find(({ protocol }) => protocol !== settings.protocol);
  return foreign === undefined ? null : `route ${foreign.prefix} ${describeRoute(foreign)}`;
}

export function placeText({ family, color }: ClassPlace): string {
  return `${family} ${color}`;
}
