import { parsePrefix } from '@waymark/topology';
import { expect, it } from 'vitest';
import { Problem } from '../model/errors.js';
import { refuseBindingSidClaims } from './binding-sid-claims.js';
import type { TedRows } from './ted-rows.js';

const BLOCKS = ['fdbb:b51d:0:3::/64', 'fdbb:b51d:0:1::/64', 'fdbb:b51d:0:2::/64', 'fdbb:b51d:0:7::/64'].map(
  (block, i) => ({
    headend: `h${i}`,
    range: parsePrefix(block),
  }),
);

function refusal(...prefixes: readonly string[]): string | undefined {
  const locators = prefixes.map((prefix) => ({ node: 'r', locator: { prefix } }));
  try {
    refuseBindingSidClaims({ locators, sids: [], nodes: [] } as unknown as TedRows, BLOCKS);
    return undefined;
  } catch (error) {
    if (error instanceof Problem) return error.info.detail;
    throw error;
  }
}

it.each([
  ['the block itself', 'fdbb:b51d:0:2::/64', 'h2'],
  ['the first address of a block', 'fdbb:b51d:0:1::/128', 'h1'],
  ['the last address of a block', 'fdbb:b51d:0:3:ffff:ffff:ffff:ffff/128', 'h0'],
  ['a part of the last block', 'fdbb:b51d:0:7:8000::/65', 'h3'],
  ['what several blocks are in', 'fdbb:b51d::/62', 'h0'],
  ['everything', '::/0', 'h3'],
])('%s is refused', (_, prefix, headend) => {
  expect(refusal('fc00::/32', prefix)).toBe(
    `locator ${prefix} of node r overlaps the binding SIDs of headend ${headend}`,
  );
});

it.each([
  ['before all blocks', 'fdbb:b51d::/64'],
  ['between blocks', 'fdbb:b51d:0:4::/63'],
  ['right before a block', 'fdbb:b51d:0:6:ffff:ffff:ffff:ffff/128'],
  ['after all blocks', 'fdbb:b51d:0:8::/64'],
  ['of IPv4', '10.0.0.0/8'],
])('what is %s is not', (_, prefix) => {
  expect(refusal(prefix)).toBeUndefined();
});
