import { VppEncodeError } from '../errors.js';

/**
 * `field=value` arguments as a request's values. A value that is JSON is taken as such (`true`, `5`,
 * `{"num_sids":1,...}`), anything else as text (`fc00::1`). Throws VppEncodeError.
 */
export function readFields(fields: readonly string[]): object {
  const values = new Map<string, unknown>();
  for (const field of fields) {
    const [, name, value] = /^([A-Za-z_]\w*)=(.*)$/s.exec(field) ?? [];
    if (name === undefined || value === undefined) {
      throw new VppEncodeError(`"${field}" is not of the form field=value`);
    }
    if (values.has(name)) throw new VppEncodeError(`${name} is given twice`);
    values.set(name, valueOf(value));
  }
  return Object.fromEntries(values);
}

function valueOf(text: string): unknown {
  // Beyond 2^53 a JSON number would be rounded.
  if (/^-?\d{16,}$/.test(text)) return BigInt(text);
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}
