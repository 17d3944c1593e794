const BYTES = '$bytes';

/** JSON of plain data with bytes in it. */
export function toJson(value: unknown): string {
  return JSON.stringify(withTextForBytes(value));
}

/** The value of `toJson`. Throws SyntaxError. */
export function fromJson(text: string): unknown {
  return JSON.parse(text, (_, value: unknown) => {
    if (typeof value !== 'object' || value === null || !(BYTES in value)) return value;
    const { [BYTES]: base64 } = value;
    return Object.keys(value).length === 1 && typeof base64 === 'string' ? Buffer.from(base64, 'base64') : value;
  });
}

/** Before JSON.stringify, which asks a Buffer for its own form first. */
function withTextForBytes(value: unknown): unknown {
  if (value instanceof Uint8Array) return { [BYTES]: Buffer.from(value).toString('base64') };
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value)) return value.map(withTextForBytes);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, withTextForBytes(item)]));
}
