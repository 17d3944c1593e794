import type { Locator, Sid } from '@waymark/topology';
import { describe, expect, it } from 'vitest';
import { effectiveLocators, effectiveSids } from './effective-sids.js';
import type { LocatorRow, SidRow } from './ted-rows.js';

function says(
  source: string,
  revision: number,
  behavior: Sid['behavior'],
  sid: string,
  other: Partial<Sid> = {},
): SidRow {
  return {
    node: 'n',
    layer: other.origin === 'operator' ? 'operator' : 'discovered',
    source,
    fromRevision: revision,
    toRevision: null,
    sid: {
      sid,
      behavior,
      flavors: [],
      algorithm: 0,
      protected: false,
      linkId: behavior === 'End.X' ? 'n:m' : null,
      structure: null,
      origin: 'discovered',
      ...other,
    },
  };
}

const inForce = (...rows: readonly SidRow[]) => effectiveSids(rows).map(({ sid }) => sid.sid);

describe('the SIDs of a node', () => {
  it('are all that one source says', () => {
    expect(
      inForce(says('file', 1, 'End.DT6', '::6'), says('file', 1, 'End', '::1'), says('file', 1, 'End', '::2')),
    ).toEqual(['::1', '::2', '::6']);
  });

  it('are never planned ones where something is known, however old', () => {
    const planned = { origin: 'planned' } as const;
    expect(inForce(says('file', 9, 'End', '::1', planned), says('bgp-ls', 2, 'End', '::2'))).toEqual(['::2']);
  });

  it('are those of the source that spoke last', () => {
    expect(
      inForce(says('file', 1, 'End.DT4', '::1'), says('agent:n', 5, 'End.DT4', '::2', { origin: 'agent' })),
    ).toEqual(['::2']);
  });

  it('differ by family: a new End.DT6 leaves the End.DT4 of another source', () => {
    expect(
      inForce(says('file', 1, 'End.DT4', '::4'), says('file', 1, 'End.DT6', '::6'), says('igp', 2, 'End.DT6', '::7')),
    ).toEqual(['::4', '::7']);
  });

  it('of planned families both give way to an End.DT46', () => {
    const planned = { origin: 'planned' } as const;
    expect(
      inForce(
        says('file', 1, 'End.DT4', '::4', planned),
        says('file', 1, 'End.DT6', '::6', planned),
        says('agent:n', 2, 'End.DT46', '::46', { origin: 'agent' }),
      ),
    ).toEqual(['::46']);
  });

  it('of one link do not touch those of another', () => {
    expect(
      inForce(says('file', 1, 'End.X', '::1', { linkId: 'n:m' }), says('igp', 2, 'End.X', '::2', { linkId: 'n:o' })),
    ).toEqual(['::1', '::2']);
  });

  it('appear once, whoever names them', () => {
    expect(inForce(says('file', 1, 'End.DT4', '::1'), says('igp', 2, 'End.DT6', '::1'))).toEqual(['::1']);
  });
});

describe('the locators of a node', () => {
  const locator = (source: string, revision: number, prefix: string, other: Partial<Locator> = {}): LocatorRow => ({
    node: 'n',
    layer: 'discovered',
    source,
    fromRevision: revision,
    toRevision: null,
    locator: {
      prefix,
      algorithm: 0,
      metric: 0,
      anycast: false,
      scope: 'igp',
      structure: { blockBits: 32, nodeBits: 16, functionBits: 16, argumentBits: 0 },
      origin: 'discovered',
      ...other,
    },
  });
  const prefixes = (...rows: readonly LocatorRow[]) => effectiveLocators(rows).map((row) => row.locator.prefix);

  it('are those of the source that spoke last, per algorithm', () => {
    expect(
      prefixes(
        locator('file', 1, 'fd00:1::/48'),
        locator('file', 1, 'fd00:128::/48', { algorithm: 128 }),
        locator('bgp-ls', 2, 'fd00:2::/48'),
      ),
    ).toEqual(['fd00:2::/48', 'fd00:128::/48']);
  });

  it('are never planned ones where something is known', () => {
    expect(
      prefixes(locator('file', 5, 'fd00:1::/48', { origin: 'planned' }), locator('bgp-ls', 2, 'fd00:2::/48')),
    ).toEqual(['fd00:2::/48']);
  });
});
