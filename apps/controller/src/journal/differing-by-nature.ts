import { toJson } from './bytes-as-json.js';

/** How toISOString writes it: when something was stored or told, by the clock of the database or of a process. */
const INSTANT = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g;
/** How long something took. */
const DURATIONS = new Set(['eventToInstalledMs']);

/** The value without what is another one each time the same happens: two that are left the same are the same answer. */
export function withoutTimes(value: unknown): unknown {
  return without(JSON.parse(toJson(value)));
}

function without(value: unknown): unknown {
  if (typeof value === 'string') return value.replaceAll(INSTANT, '[time]');
  if (Array.isArray(value)) return value.map(without);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [
      key,
      DURATIONS.has(key) && typeof item === 'number' ? '[duration]' : without(item),
    ]),
  );
}
