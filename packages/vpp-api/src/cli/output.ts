/** JSON, with bytes in hexadecimal, and integers beyond 2^53 as text. */
export function jsonText(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) => plain(part), 2);
}

/** One field a line, structures indented; details of a dump with an empty line between. */
export function readableText(value: unknown): string {
  if (Array.isArray(value)) return value.map((part) => readableText(part)).join('\n');
  return linesOf(value, '')
    .map((line) => `${line}\n`)
    .join('');
}

function linesOf(value: unknown, indent: string): string[] {
  return Object.entries(value as object).flatMap(([name, given]: [string, unknown]) => {
    const part = plain(given);
    if (Array.isArray(part) && part.some((element) => typeof element === 'object')) {
      return part.flatMap((element, index) => [`${indent}${name}[${index}]:`, ...linesOf(element, `${indent}  `)]);
    }
    if (Array.isArray(part)) return [`${indent}${name}: ${part.join(' ')}`];
    if (typeof part === 'object' && part !== null) return [`${indent}${name}:`, ...linesOf(part, `${indent}  `)];
    return [`${indent}${name}: ${String(part)}`];
  });
}

function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  if (typeof value === 'bigint') {
    return value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER ? Number(value) : String(value);
  }
  return value;
}
