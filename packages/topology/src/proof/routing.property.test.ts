import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Locator, Sid, Ted } from '../model/ted.js';
import { freezeSnapshot } from '../snapshot/freeze-snapshot.js';
import { arbitraryTed } from '../testing/arbitrary-ted.js';
import { trajectories } from '../testing/packet-oracle.js';
import { prove } from './prove.js';

const cases = fc
  .record({ healthy: fc.boolean(), zeroMetrics: fc.boolean(), cSids: fc.boolean() })
  .chain((shape) => arbitraryTed({ maxRouters: 5, maxLinks: 9, routing: 'always', ...shape }))
  .chain((ted) => {
    const node = fc.constantFrom(...ted.nodes.map(({ id }) => id));
    const texts = ted.nodes.flatMap(({ sids }) => sids.filter(({ behavior }) => !behavior.startsWith('End.DT')));
    const isSpecial = (sid: string) => {
      const locator = locatorOf(ted, sid);
      return locator !== undefined && (locator.anycast || locator.algorithm !== 0);
    };
    const special = texts.filter(({ sid }) => isSpecial(sid));
    const anycast = texts.filter(({ sid }) => locatorOf(ted, sid)?.anycast === true);
    const textsOf = (sids: readonly Sid[]) =>
      fc.constantFrom(...(sids.length > 0 ? sids : texts)).map(({ sid }) => sid);
    const transit = () => fc.oneof(textsOf(special), textsOf(anycast));
    const outside = ted.nodes.filter(({ locators }) => !locators.some((locator) => locator.anycast));
    return fc.record({
      ted: fc.constant(ted),
      headend: fc.constantFrom(...(outside.length > 0 ? outside : ted.nodes).map(({ id }) => id)),
      destination: node,
      transit: texts.length === 0 ? fc.constant([]) : fc.array(transit(), { minLength: 1, maxLength: 2 }),
      final: fc.nat(),
    });
  });

function locatorOf(ted: Ted, sid: string): Locator | undefined {
  const group = sid.split(':').slice(0, 3).join(':');
  return ted.nodes.flatMap(({ locators }) => locators).find(({ prefix }) => prefix.startsWith(`${group}:`));
}

describe('packets of flexible algorithms and to anycast SIDs', () => {
  it('go where a proof says, and nowhere else', () => {
    const seen = { accepted: 0, flexible: 0, anycast: 0, spread: 0 };
    fc.assert(
      fc.property(cases, ({ ted, headend, destination, transit, final }) => {
        const ends = ted.nodes.find(({ id }) => id === destination)?.sids.filter(({ linkId }) => linkId === null) ?? [];
        const last = ends[final % Math.max(1, ends.length)];
        const list = [...transit, ...(last === undefined ? [] : [last.sid])];
        const ways = trajectories(ted, headend, destination, list);
        const isUp = ted.nodes.find((node) => node.id === headend)?.operationalState === 'up';
        const arrives = isUp && headend !== destination && ways.every((way) => way.outcome === 'delivered');
        const proof = prove(freezeSnapshot(ted), list, { headend, destination });
        expect([proof.ok, proof.violation]).toEqual([arrives, arrives ? null : proof.violation]);
        if (!arrives) return;
        const load = new Map<string, number>();
        for (const way of ways) for (const { id } of way.links) load.set(id, (load.get(id) ?? 0) + way.share);
        expect(proof.load.map((entry) => entry.linkId)).toEqual([...load.keys()].sort());
        for (const { linkId, share } of proof.load) expect(share).toBeCloseTo(load.get(linkId) ?? 0, 9);
        const locators = list.map((sid) => locatorOf(ted, sid));
        seen.accepted++;
        if (locators.some((locator) => (locator?.algorithm ?? 0) > 0)) seen.flexible++;
        if (locators.some((locator) => locator?.anycast)) seen.anycast++;
        const members = ted.nodes.filter(({ locators: own }) => own.some(({ anycast }) => anycast)).map(({ id }) => id);
        const lastAt = new Set(ways.map(({ links }) => links.map(({ to }) => to).find((id) => members.includes(id))));
        if (locators[0]?.anycast === true && lastAt.size > 1) seen.spread++;
      }),
      { numRuns: 4000 },
    );
    expect(seen.flexible).toBeGreaterThan(100);
    expect(seen.anycast).toBeGreaterThan(100);
    expect(seen.spread).toBeGreaterThan(0);
  }, 120_000);
});
