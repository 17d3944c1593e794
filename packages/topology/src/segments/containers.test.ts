import { describe, expect, it } from 'vitest';
import type { Sid } from '../model/ted.js';
import { freezeSnapshot } from '../snapshot/freeze-snapshot.js';
import type { Snapshot } from '../snapshot/snapshot.js';
import { buildTed, type NodeSpec } from '../testing/build-ted.js';
import { CSids } from './c-sids.js';
import { EMPTY_LIST, isNoLarger, packEntries, sizesWith, sizeWith } from './containers.js';

const LINKS = [{ between: 'a-b' }, { between: 'b-c' }];
const next = { sidKind: 'next' as const };

function pack(snapshot: Snapshot, texts: readonly string[]): string[] {
  const sids = texts.map((text) => snapshot.sidOf(text));
  expect(sids).not.toContain(-1);
  return packEntries(snapshot, new CSids(snapshot), sids, 'reduced').map(({ address, sids: carried }) =>
    carried.length === 1 ? address : `${address} of ${carried.length}`,
  );
}

function network(...nodes: readonly NodeSpec[]): Snapshot {
  return freezeSnapshot(buildTed(nodes, LINKS));
}

const three = [
  { id: 'a', ...next },
  { id: 'b', ...next },
  { id: 'c', ...next },
] as const;
const [A, B, C, SERVICE] = ['fd00:0:1::', 'fd00:0:2::', 'fd00:0:3::', 'fd00:0:4:d4::'] as const;
const CROSS_A = 'fd00:0:1:e000::';

describe('a container', () => {
  it('holds nodes, an adjacency with its node, and the service SID at the end', () => {
    const snapshot = network(...three, { id: 'h1', ...next });
    expect(pack(snapshot, [A, B, C, SERVICE])).toEqual(['fd00:0:1:2:3:4:d4:0 of 4']);
    expect(pack(snapshot, [CROSS_A, C, SERVICE])).toEqual(['fd00:0:1:e000:3:4:d4:0 of 3']);
  });

  it('takes six C-SIDs behind a block of 32 bits, and what is left opens the next one', () => {
    const snapshot = network(...three, { id: 'h1', ...next });
    expect(pack(snapshot, [A, B, A, B, A, B, A, B])).toEqual(['fd00:0:1:2:1:2:1:2 of 6', 'fd00:0:1:2:: of 2']);
    // Five slots are used, and the service SID takes two.
    expect(pack(snapshot, [A, B, C, A, B, SERVICE])).toEqual(['fd00:0:1:2:3:1:2:0 of 5', SERVICE]);
  });

  it('ends behind a SID without the flavor, which can still be its last', () => {
    const snapshot = network({ id: 'a', ...next }, { id: 'b' }, { id: 'c', ...next }, { id: 'h1', ...next });
    const classic = 'fd00:0:2:1::';
    expect(pack(snapshot, [A, classic, C, SERVICE])).toEqual(['fd00:0:1:2:1:: of 2', 'fd00:0:3:4:d4:: of 2']);
  });

  it('takes neither an opaque SID nor one of another block', () => {
    const snapshot = network(
      { id: 'a', ...next },
      { id: 'b', ...next, block: 'long' },
      { id: 'c', ...next },
      { id: 'h1', sidKind: 'opaque' },
    );
    expect(pack(snapshot, [A, SERVICE])).toEqual([A, SERVICE]);
    expect(pack(snapshot, [A, 'fd01::2:0:0', C])).toEqual([A, 'fd01::2:0:0', C]);
  });

  it('is not begun where routers could take a node for a function, or for the prefix of another', () => {
    // Function 1 of b, and node 1.
    const clash = network({ id: 'a', ...next }, { id: 'b', ...next, sids: [end(B), end('fd00:0:2:1::')] }, three[2]);
    expect(pack(clash, [A, B, C])).toEqual(['fd00:0:1:2:: of 2', C]);
    const [c] = buildTed([three[2]], []).nodes;
    const locator = c?.locators[0];
    if (locator === undefined) throw new Error('no locator');
    const within = { ...locator, prefix: 'fd00:0:2:1::/64' };
    const routed = network(three[0], three[1], { id: 'c', ...next, sids: [end(C)], locators: [within, locator] });
    expect(pack(routed, [A, B, C])).toEqual(['fd00:0:1:2:: of 2', 'fd00:0:3::']);
  });

  it('has no C-SID of zero, which would end it', () => {
    const snapshot = network(three[0], { id: 'b', ...next, sids: [end('fd00::')] }, three[2]);
    expect(pack(snapshot, [A, 'fd00::', C])).toEqual([A, 'fd00::', C]);
  });

  it('is never begun where no SID has the flavor', () => {
    const snapshot = network({ id: 'a' }, { id: 'b' }, { id: 'c' });
    expect(pack(snapshot, ['fd00:0:1:1::', 'fd00:0:2:1::'])).toEqual(['fd00:0:1:1::', 'fd00:0:2:1::']);
  });
});

describe('the size of a list', () => {
  const snapshot = network(...three, { id: 'h1', ...next });
  const cSids = new CSids(snapshot);
  const [a, b] = [A, B].map((text) => snapshot.sidOf(text)) as [number, number];

  it('with one SID more has it in the container, or in an entry of its own', () => {
    const one = sizeWith(cSids, EMPTY_LIST, a);
    expect(one).toMatchObject({ entries: 1, used: 16 });
    expect(sizesWith(cSids, EMPTY_LIST, a)).toEqual([one]);
    expect(sizesWith(cSids, one, b)).toEqual([
      { ...one, used: 32 },
      { ...one, entries: 2 },
    ]);
  });

  it('is no larger with fewer entries, or with a container that has as much room', () => {
    const open = sizeWith(cSids, EMPTY_LIST, a);
    const fuller = sizeWith(cSids, open, b);
    const closed = { ...open, open: -1 };
    expect([isNoLarger(open, fuller), isNoLarger(fuller, open)]).toEqual([true, false]);
    expect([isNoLarger(open, closed), isNoLarger(closed, open)]).toEqual([true, false]);
    expect(isNoLarger(closed, { ...open, entries: 2 })).toBe(true);
  });
});

function end(text: string): Sid {
  const structure =
    text.split(':').length > 5
      ? { blockBits: 32, nodeBits: 16, functionBits: 16, argumentBits: 64 }
      : { blockBits: 32, nodeBits: 16, functionBits: 0, argumentBits: 80 };
  return {
    sid: text,
    behavior: 'End',
    flavors: ['NEXT-C-SID'],
    algorithm: 0,
    protected: false,
    linkId: null,
    structure,
    origin: 'discovered',
  };
}
