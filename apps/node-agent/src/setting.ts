import { canonicalAddress } from './dataplane/address.js';

/** What a variable says, or an Error that names the variable. */
export function setting<T>(variable: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw new Error(`${variable}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** An IPv6 address in its one spelling. Throws Error naming the variable. */
export function ipv6Setting(variable: string, text: string): string {
  return setting(variable, () => {
    if (!text.includes(':')) throw new RangeError(`"${text}" is not an IPv6 address`);
    return canonicalAddress(text);
  });
}
