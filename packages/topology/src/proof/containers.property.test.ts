import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatIpv6, parseIpv6 } from '../model/address.js';
import type { Sid, Ted } from '../model/ted.js';
import { freezeSnapshot } from '../snapshot/freeze-snapshot.js';
import { arbitraryTed } from '../testing/arbitrary-ted.js';
import { naiveContainer } from '../testing/naive-container.js';
import { trajectories } from '../testing/packet-oracle.js';
import { prove } from './prove.js';

interface Case {
  readonly ted: Ted;
  readonly headend: string;
  readonly destination: string;
  readonly entries: readonly string[];
}

/** Lists of any SIDs, put into containers at random places; in some of them one bit is wrong. */
const cases: fc.Arbitrary<Case> = fc
  .record({ healthy: fc.boolean(), endpointLimits: fc.boolean() })
  .chain((shape) => arbitraryTed({ maxRouters: 4, maxLinks: 7, cSids: true, ...shape }))
  .chain((ted) => {
    const all = ted.nodes.flatMap((node) => node.sids.map((sid) => ({ node: node.id, sid })));
    const node = fc.constantFrom(...ted.nodes.map(({ id }) => id));
    const some = all.length === 0 ? fc.constant([]) : fc.array(fc.constantFrom(...all), { maxLength: 5 });
    return fc
      .record({
        headend: node,
        destination: node,
        some,
        cuts: fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 8, maxLength: 8 }),
        flip: fc.oneof(
          { weight: 3, arbitrary: fc.constant(null) },
          { weight: 1, arbitrary: fc.record({ entry: fc.nat(), bit: fc.integer({ min: 0, max: 127 }) }) },
        ),
      })
      .map(({ headend, destination, some: chosen, cuts, flip }) => {
        const last = all.find((entry) => entry.node === destination && entry.sid.behavior !== 'End.X');
        const sids = [...chosen, ...(last === undefined ? [] : [last])].map(({ sid }) => sid);
        const groups: Sid[][] = [];
        sids.forEach((sid, i) => {
          if (i === 0 || cuts[i] === 0) groups.push([sid]);
          else groups.at(-1)?.push(sid);
        });
        const entries = groups.flatMap((group) => naiveContainer(group) ?? group.map(({ sid }) => sid));
        const hit = flip === null || entries.length === 0 ? -1 : flip.entry % entries.length;
        return {
          ted,
          headend,
          destination,
          entries: entries.map((entry, i) =>
            i === hit ? formatIpv6(parseIpv6(entry) ^ (1n << BigInt(flip?.bit ?? 0))) : entry,
          ),
        };
      });
  });

describe('a proof of a list with containers', () => {
  it('accepts it exactly when every packet arrives, and measures what packets take', () => {
    let accepted = 0;
    fc.assert(
      fc.property(cases, ({ ted, headend, destination, entries }) => {
        const ways = trajectories(ted, headend, destination, entries);
        const isUp = ted.nodes.find((node) => node.id === headend)?.operationalState === 'up';
        const arrives = isUp && headend !== destination && ways.every((way) => way.outcome === 'delivered');
        const proof = prove(freezeSnapshot(ted), entries, { headend, destination });
        expect(proof.ok).toBe(arrives);
        if (
          !arrives ||
          !entries.some((entry) => !ted.nodes.some(({ sids }) => sids.some(({ sid }) => sid === entry)))
        ) {
          return;
        }
        accepted++;
        const igp = ways.map((way) => way.links.reduce((sum, link) => sum + link.igpMetric, 0));
        expect([proof.best.igp, proof.worst.igp]).toEqual([Math.min(...igp), Math.max(...igp)]);
        expect(proof.singlePath).toBe(ways.length === 1);
        const load = new Map<string, number>();
        for (const way of ways) {
          for (const link of way.links) load.set(link.id, (load.get(link.id) ?? 0) + way.share);
        }
        expect(proof.load.map((entry) => entry.linkId)).toEqual([...load.keys()].sort());
        for (const { linkId, share } of proof.load) expect(share).toBeCloseTo(load.get(linkId) ?? 0, 9);
      }),
      { numRuns: 1000 },
    );
    expect(accepted).toBeGreaterThan(5);
  });
});
