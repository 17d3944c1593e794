import { parsePrefix } from '@waymark/topology';
import { describe, expect, it } from 'vitest';
import { diamond } from '../testing/sketched-network.js';
import { bindingSids, freeBlocks, reservedPrefixes } from './binding-sids.js';

describe('binding SIDs', () => {
  it('differ between numbers, families and slots, and lie in the block', () => {
    const sids = [0, 1, 2, 300_000].flatMap((number) =>
      bindingSids('fdbb:b51d:0:7::/64', number).flatMap(({ a, b }) => [a, b]),
    );
    expect(new Set(sids).size).toBe(16);
    expect(sids.slice(0, 5)).toEqual([
      'fdbb:b51d:0:7::',
      'fdbb:b51d:0:7::1',
      'fdbb:b51d:0:7::2',
      'fdbb:b51d:0:7::3',
      'fdbb:b51d:0:7::4',
    ]);
  });
});

describe('blocks of a pool', () => {
  it('are handed out in order, without those taken', () => {
    expect(freeBlocks('fdbb:b51d::/32', 2, new Set(['fdbb:b51d:0:1::/64']), [])).toEqual([
      'fdbb:b51d:0:2::/64',
      'fdbb:b51d:0:3::/64',
    ]);
  });

  it('keep clear of whatever the topology uses', () => {
    const reserved = [parsePrefix('fdbb:b51d::/63'), parsePrefix('fdbb:b51d:0:2::9/128'), parsePrefix('fd00::/48')];
    expect(freeBlocks('fdbb:b51d::/32', 1, new Set(), reserved)).toEqual(['fdbb:b51d:0:3::/64']);
  });

  it('come after a locator of billions of blocks, if any do', () => {
    const most = [parsePrefix('fd00::/9'), parsePrefix('fd80::1:0:0:0:1/128')];
    expect(freeBlocks('fd00::/8', 2, new Set(), most)).toEqual(['fd80::/64', 'fd80:0:0:2::/64']);
    expect(freeBlocks('fd00::/32', 1, new Set(), most)).toEqual([]);
  });

  it('end with the pool', () => {
    expect(freeBlocks('fdbb:b51d::/63', 2, new Set(), [])).toEqual(['fdbb:b51d:0:1::/64']);
    expect(freeBlocks('fdbb:b51d::/63', 1, new Set(['fdbb:b51d:0:1::/64']), [])).toEqual([]);
    expect(() => freeBlocks('10.0.0.0/8', 1, new Set(), [])).toThrow(RangeError);
  });

  it('know the locators, SIDs and addresses of a topology', () => {
    const reserved = reservedPrefixes(diamond());
    expect(reserved).toContainEqual(parsePrefix('fd00:0:1::/48'));
    expect(reserved).toContainEqual(parsePrefix('fd00:ffff::1/128'));
  });
});
