export interface Difference {
  /** JSON pointer. */
  readonly path: string;
  readonly recorded: unknown;
  readonly came: unknown;
}

/** Where two JSON values differ first; undefined: they are the same, also in the order of their keys. */
export function firstDifference(recorded: unknown, came: unknown, path = ''): Difference | undefined {
  if (JSON.stringify(recorded) === JSON.stringify(came)) return undefined;
  if (!isNested(recorded) || !isNested(came) || Array.isArray(recorded) !== Array.isArray(came)) {
    return { path, recorded, came };
  }
  const [before, after] = [new Map(Object.entries(recorded)), new Map(Object.entries(came))];
  for (const key of new Set([...before.keys(), ...after.keys()])) {
    const found = firstDifference(before.get(key), after.get(key), `${path}/${key}`);
    if (found !== undefined) return found;
  }
  return { path, recorded: [...before.keys()], came: [...after.keys()] };
}

function isNested(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
