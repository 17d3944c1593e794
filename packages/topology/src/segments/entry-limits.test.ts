import { describe, expect, it } from 'vitest';
import type { SidFlavor, Ted } from '../model/ted.js';
import { freezeSnapshot } from '../snapshot/freeze-snapshot.js';
import { buildTed } from '../testing/build-ted.js';
import { EntryLimits } from './entry-limits.js';

const B = 'fd00:0:2:1::';
const SERVICE = 'fd00:0:3:d4::';

function network(
  limits: Parameters<typeof buildTed>[0][number] & object,
  flavors: Readonly<Record<string, readonly SidFlavor[]>> = {},
): Ted {
  const ted = buildTed(
    ['a', { ...limits, id: 'b' }, { ...limits, id: 'h1' }],
    [{ between: 'a-b' }, { between: 'b-h1' }],
  );
  const nodes = ted.nodes.map((node) => ({
    ...node,
    sids: node.sids.map((sid) => ({ ...sid, flavors: flavors[sid.sid] ?? [] })),
  }));
  return { ...ted, nodes };
}

function limitsOf(ted: Ted) {
  const snapshot = freezeSnapshot(ted);
  const number = (text: string) => {
    const sid = snapshot.sidOf(text);
    expect(sid).toBeGreaterThanOrEqual(0);
    return sid;
  };
  return { limits: new EntryLimits(snapshot), b: number(B), service: number(SERVICE) };
}

describe('the entries that endpoints can process', () => {
  it('are not limited where no node has a limit', () => {
    const { limits, b } = limitsOf(network({ id: 'b' }));
    expect(limits.isInUse).toBe(false);
    expect(limits.mostWith(b, 3)).toBe(Infinity);
  });

  it('are one more for each entry in front of the SID: Segments Left counts what is behind it', () => {
    const { limits, b } = limitsOf(network({ id: 'b', msdSegmentsLeft: 2 }));
    expect(limits.isInUse).toBe(true);
    expect([0, 1, 4].map((entry) => limits.mostWith(b, entry))).toEqual([3, 4, 7]);
  });

  it('count where the SRH is taken off: by the service SID, or by the SID with PSP before it', () => {
    const decapsulating = limitsOf(network({ id: 'b', msdEndD: 2, msdEndPop: 0 }));
    expect([2, 3].map((n) => decapsulating.limits.canEnd('full', n, decapsulating.b, decapsulating.service))).toEqual([
      true,
      false,
    ]);
    expect(decapsulating.limits.canEnd('reduced', 3, decapsulating.b, decapsulating.service)).toBe(true);
    const popping = limitsOf(network({ id: 'b', msdEndD: 0, msdEndPop: 2 }, { [B]: ['PSP'] }));
    expect([2, 3].map((n) => popping.limits.canEnd('full', n, popping.b, popping.service))).toEqual([true, false]);
    expect(popping.limits.canEnd('full', 1, -1, popping.service)).toBe(false);
    expect(popping.limits.canEnd('reduced', 1, -1, popping.service)).toBe(true);
  });
});
