import { describe, expect, it } from 'vitest';
import type { Violation } from '../model/proof.js';
import { freezeSnapshot } from '../snapshot/freeze-snapshot.js';
import { buildTed } from '../testing/build-ted.js';
import { prove } from './prove.js';

//  h1 - a - b - c - h2       a, b with NEXT-C-SID (node numbers 1, 2), c without (3); h1 and h2 are 4 and 5
const next = { sidKind: 'next' as const };
const snapshot = freezeSnapshot(
  buildTed(
    [{ id: 'a', ...next }, { id: 'b', ...next }, 'c', { id: 'h1', ...next }, { id: 'h2', ...next }],
    [{ between: 'a-b' }, { between: 'b-c' }, { between: 'h1-a' }, { between: 'c-h2' }],
  ),
);

function violationOf(...entries: readonly string[]): Violation | null {
  return prove(snapshot, entries, { headend: 'h1', destination: 'h2' }).violation;
}

describe('a container in a list', () => {
  it('is read C-SID by C-SID', () => {
    expect(violationOf('fd00:0:1:2:3:1::', 'fd00:0:5:d4::')).toBeNull();
    // b, the adjacency b:c of b, then the service SID
    expect(violationOf('fd00:0:2:2:e001:5:d4:0')).toBeNull();
    const proof = prove(snapshot, ['fd00:0:2:2:e001:5:d4:0'], { headend: 'h1', destination: 'h2' });
    expect(proof.load.map(({ linkId }) => linkId)).toEqual(['a:b', 'b:c', 'c:h2', 'h1:a']);
  });

  it.each<[string, readonly string[], Partial<Violation>]>([
    ['a C-SID that nobody owns', ['fd00:0:1:9:2::'], { kind: 'unknown-sid', segmentIndex: 0, node: 'a' }],
    ['a C-SID of zero before its end', ['fd00:0:1:0:2::'], { kind: 'unknown-sid', segmentIndex: 0, node: 'a' }],
    [
      'more C-SIDs behind that of a router without the flavor',
      ['fd00:0:1::', 'fd00:0:2:3:1:2::', 'fd00:0:5:d4::'],
      { kind: 'container-misread', segmentIndex: 1, node: 'c' },
    ],
    [
      'something behind the service SID',
      ['fd00:0:3:1::', 'fd00:0:5:d4:1::'],
      { kind: 'container-misread', segmentIndex: 1, node: 'h2' },
    ],
    [
      'an adjacency as its last, and of the list',
      ['fd00:0:1:2:e001::'],
      { kind: 'not-delivered', segmentIndex: 0, node: 'b' },
    ],
  ])('is refused with %s', (_, entries, violation) => {
    expect(violationOf(...entries)).toMatchObject(violation);
  });

  it('is named with the position of the C-SID', () => {
    expect(violationOf('fd00:0:1:2:9::')?.message).toBe(
      'nobody owns fd00:0:9:: (C-SID 3 of the container fd00:0:1:2:9::)',
    );
    expect(violationOf('fd00:0:1:3:1:2::')?.message).toBe(
      'c takes fd00:0:3:1:2:: for fd00:0:3:1::, and what follows it in there is lost (C-SID 2 of the container fd00:0:1:3:1:2::)',
    );
  });

  it('counts as one entry, in the header and for the MSD', () => {
    const narrow = buildTed(
      [
        { id: 'a', ...next },
        { id: 'b', ...next },
        { id: 'h1', msdHEncaps: 0 },
        { id: 'h2', ...next },
      ],
      [{ between: 'a-b', mtuBytes: 1320 }, { between: 'h1-a' }, { between: 'b-h2' }],
    );
    const requirement = { headend: 'h1', destination: 'h2', constraints: {} };
    expect(prove(freezeSnapshot(narrow), ['fd00:0:2:4:d4::'], requirement).violation).toBeNull();
    expect(prove(freezeSnapshot(narrow), ['fd00:0:2::', 'fd00:0:4:d4::'], requirement).violation).toMatchObject({
      kind: 'msd-exceeded',
    });
  });

  it('is refused where a router would take two C-SIDs for one function, or for the prefix of another', () => {
    const ted = buildTed(
      [{ id: 'a', ...next }, { id: 'b', ...next }, 'c', { id: 'h1', ...next }, { id: 'h2', ...next }],
      [{ between: 'a-b' }, { between: 'b-c' }, { between: 'h1-a' }, { between: 'c-h2' }],
    );
    const list = ['fd00:0:1:2:3:1::', 'fd00:0:5:d4::'];
    const changed = (id: string, change: (node: (typeof ted.nodes)[number]) => object) => ({
      ...ted,
      nodes: ted.nodes.map((node) => (node.id === id ? { ...node, ...change(node) } : node)),
    });
    // a has a function 2: what was node 2 behind it is taken for that.
    const withFunction = changed('a', ({ sids }) => ({
      sids: [...sids, ...sids.slice(-1).map((sid) => ({ ...sid, sid: 'fd00:0:1:2::' }))],
    }));
    expect(prove(freezeSnapshot(withFunction), list, { headend: 'h1', destination: 'h2' }).ok).toBe(false);
    const withPrefix = changed('b', ({ locators }) => ({
      locators: [...locators, ...locators.map((locator) => ({ ...locator, prefix: 'fd00:0:1:2::/64' }))],
    }));
    expect(prove(freezeSnapshot(withPrefix), list, { headend: 'h1', destination: 'h2' }).violation).toMatchObject({
      kind: 'not-routed',
      node: 'a',
    });
  });
});
