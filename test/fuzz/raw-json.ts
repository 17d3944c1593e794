/** A piece of text in place of a JSON value: what `JSON.stringify` never writes, like `1e999` or `-0`. */
export class RawJson {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** Members in the order given, the same name as often as given. */
export class RawMembers {
  readonly entries: readonly (readonly [string, unknown])[];

  constructor(entries: readonly (readonly [string, unknown])[]) {
    this.entries = entries;
  }
}

/** JSON text of a value that may hold the above. Members that are undefined are left out. */
export function rawJson(value: unknown): string {
  if (value instanceof RawJson) return value.text;
  if (value instanceof RawMembers) return members(value.entries);
  if (Array.isArray(value)) return `[${value.map(rawJson).join(',')}]`;
  if (typeof value === 'object' && value !== null) return members(Object.entries(value));
  return value === undefined ? 'null' : JSON.stringify(value);
}

function members(entries: readonly (readonly [string, unknown])[]): string {
  const given = entries.filter(([, value]) => value !== undefined);
  return `{${given.map(([name, value]) => `${JSON.stringify(name)}:${rawJson(value)}`).join(',')}}`;
}
