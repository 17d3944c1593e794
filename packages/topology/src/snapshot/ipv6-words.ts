import { parseIpv6 } from '../model/address.js';

/**
 * The eight 16-bit groups of an IPv6 address. Reads the plain hexadecimal spellings itself, because a snapshot holds
 * tens of thousands of SIDs; anything else goes through the strict parser. Throws RangeError when it is not an address.
 */
export function parseIpv6Words(text: string): Uint16Array {
  const words = new Uint16Array(8);
  const gap = text.indexOf('::');
  const head = gap < 0 ? text.split(':') : splitGroups(text.slice(0, gap));
  const tail = gap < 0 ? [] : splitGroups(text.slice(gap + 2));
  const plain =
    (gap < 0 ? head.length === 8 : head.length + tail.length < 8) &&
    [...head, ...tail].every((group) => GROUP.test(group));
  if (!plain) {
    let value = parseIpv6(text);
    for (let i = 7; i >= 0; i--, value >>= 16n) words[i] = Number(value & 0xffffn);
    return words;
  }
  head.forEach((group, i) => (words[i] = Number.parseInt(group, 16)));
  tail.forEach((group, i) => (words[8 - tail.length + i] = Number.parseInt(group, 16)));
  return words;
}

const GROUP = /^[0-9a-f]{1,4}$/i;

function splitGroups(text: string): string[] {
  return text === '' ? [] : text.split(':');
}
