import { hostileNames, hostileValue } from './hostile-values.js';
import type { Random } from './random.js';
import { RawMembers } from './raw-json.js';

type Path = readonly (string | number)[];

/** Every place of a JSON value, the whole first. */
export function placesOf(value: unknown, at: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [at];
  return [
    at,
    ...Object.entries(value).flatMap(([key, member]) =>
      placesOf(member, [...at, Array.isArray(value) ? Number(key) : key]),
    ),
  ];
}

/** JSON pointer of a place (RFC 6901). */
export function pointerOf(path: Path): string {
  return path.map((key) => `/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

export function changedAt(value: unknown, [key, ...rest]: Path, change: (value: unknown) => unknown): unknown {
  if (key === undefined) return change(value);
  if (Array.isArray(value)) return value.map((item: unknown, i) => (i === key ? changedAt(item, rest, change) : item));
  const entries = Object.entries(value as object) as [string, unknown][];
  return Object.fromEntries(
    entries.map(([name, member]) => [name, name === key ? changedAt(member, rest, change) : member]),
  );
}

export interface Mutated {
  readonly value: unknown;
  /** Where it was changed. */
  readonly pointer: string;
}

/** One value somewhere replaced by a hostile one. */
export function withHostileValue(random: Random, value: unknown): Mutated {
  const path = random.pick(placesOf(value));
  return { value: changedAt(value, path, (instead) => hostileValue(random, instead)), pointer: pointerOf(path) };
}

/** One object or list somewhere of another shape: members missing, added, doubled, exchanged, items repeated. */
export function withHostileShape(random: Random, value: unknown): Mutated {
  const path = random.pick(placesOf(value));
  return { value: changedAt(value, path, (inner) => reshaped(random, inner)), pointer: pointerOf(path) };
}

function reshaped(random: Random, value: unknown): unknown {
  if (Array.isArray(value)) {
    const items = value as readonly unknown[];
    return random.pick([
      () => [],
      () => [...items, ...items],
      () => [...items, hostileValue(random, items[0])],
      () => items.toReversed(),
      () => Array.from({ length: 2_000 }, () => items[0] ?? 0),
      () => Object.fromEntries(items.entries()),
      () => [items],
    ])();
  }
  if (typeof value !== 'object' || value === null)
    return random.pick([[value], { value }, [value, value], String(value)]);
  const entries = Object.entries(value) as [string, unknown][];
  const [name, member] = entries.length === 0 ? ['a', 1] : random.pick(entries);
  return random.pick([
    () => Object.fromEntries(entries.filter(([key]) => key !== name)),
    () => new RawMembers([...entries, [random.pick(hostileNames), hostileValue(random, member)]]),
    () => new RawMembers([...entries, [name, member]]),
    () => new RawMembers([...entries, [name, hostileValue(random, member)]]),
    () => new RawMembers([['__proto__', value], ...entries]),
    () => new RawMembers(entries.map(([key, one]) => [key === name ? key.toUpperCase() : key, one])),
    () => Object.fromEntries(entries.map(([key], i) => [key, entries[(i + 1) % entries.length]?.[1]])),
    () => entries,
  ])();
}
