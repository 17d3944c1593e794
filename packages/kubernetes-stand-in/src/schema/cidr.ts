import { isIP } from 'node:net';

/** An address of either family, a slash and a length that it can have. */
export function isCidr(text: string): boolean {
  const [address = '', length = '', ...more] = text.split('/');
  const bits = { 4: 32, 6: 128 }[isIP(address)];
  return bits !== undefined && more.length === 0 && /^\d{1,3}$/.test(length) && Number(length) <= bits;
}
