import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { freezeSnapshot } from '../snapshot/freeze-snapshot.js';
import type { MetricType } from '../model/path-request.js';
import type { TedLink } from '../model/ted.js';
import { arbitraryEntry } from '../testing/arbitrary-request.js';
import { arbitraryTed } from '../testing/arbitrary-ted.js';
import { trajectories } from '../testing/packet-oracle.js';
import { passesAll, walkMetric } from '../testing/path-oracle.js';
import { prove } from './prove.js';

const tedAndList = arbitraryTed({ maxRouters: 5, maxLinks: 8, endpointLimits: true }).chain((ted) =>
  fc.record({
    ted: fc.constant(ted),
    include: fc.array(arbitraryEntry(ted), { minLength: 1, maxLength: 4 }),
    headend: fc.constantFrom(...ted.nodes.map((node) => node.id)),
    destination: fc.constantFrom(...ted.nodes.map((node) => node.id)),
    sids: fc
      .tuple(
        fc.array(fc.constantFrom('', ...ted.nodes.flatMap((node) => node.sids.map((sid) => sid.sid))), {
          maxLength: 3,
        }),
        fc.boolean(),
      )
      .map(([sids]) => sids.filter((sid) => sid !== '')),
    endsAtDestination: fc.boolean(),
  }),
);

describe('a proof', () => {
  it('accepts a list exactly when every packet arrives, and measures what packets take', () => {
    let accepted = 0;
    fc.assert(
      fc.property(tedAndList, ({ ted, headend, destination, sids, endsAtDestination }) => {
        const last = ted.nodes.find((node) => node.id === destination)?.sids[0];
        const list = endsAtDestination && last !== undefined && last.behavior !== 'End.X' ? [...sids, last.sid] : sids;
        const ways = trajectories(ted, headend, destination, list);
        const isUp = ted.nodes.find((node) => node.id === headend)?.operationalState === 'up';
        const arrives = isUp && headend !== destination && ways.every((way) => way.outcome === 'delivered');
        const proof = prove(freezeSnapshot(ted), list, { headend, destination });
        expect(proof.ok).toBe(arrives);
        if (!isUp || ways.some((way) => way.outcome === 'loop')) return;
        if (!arrives) return;
        accepted++;
        const sums = (value: (link: TedLink) => number) =>
          ways.map((way) => way.links.reduce((sum, link) => sum + value(link), 0));
        expect(proof.worst.igp).toBe(Math.max(...sums((link) => link.igpMetric)));
        expect(proof.best.te).toBe(Math.min(...sums((link) => link.teMetric ?? link.igpMetric)));
        expect(proof.worst.hops).toBe(Math.max(...sums(() => 1)));
        const worstOf = (metric: MetricType) => {
          const values = ways.map((way) => walkMetric(way.links, metric));
          return values.some(Number.isNaN) ? null : Math.max(...values);
        };
        expect(proof.worst.delayUs).toBe(worstOf('delay'));
        expect(proof.worst.delayVariationUs).toBe(worstOf('delay-variation'));
        expect(proof.worst.lossPpm).toBe(worstOf('loss'));
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
    expect(accepted).toBeGreaterThan(30);
  });

  it('accepts an include list exactly when every way that packets take passes it', () => {
    const outcomes = { passed: 0, missed: 0 };
    fc.assert(
      fc.property(tedAndList, ({ ted, headend, destination, sids, include }) => {
        const last = ted.nodes.find((node) => node.id === destination)?.sids[0];
        const list = last === undefined ? sids : [...sids, last.sid];
        const snapshot = freezeSnapshot(ted);
        fc.pre(prove(snapshot, list, { headend, destination }).ok);
        const ways = trajectories(ted, headend, destination, list);
        const passed = ways.every((way) => passesAll(way.links, headend, include));
        const requirement = { headend, destination, constraints: { include }, honourAdminState: false };
        const proof = prove(snapshot, list, requirement);
        expect(proof.violation?.kind).toBe(passed ? undefined : 'include-missed');
        outcomes[passed ? 'passed' : 'missed']++;
      }),
      { numRuns: 500 },
    );
    expect(Math.min(outcomes.passed, outcomes.missed)).toBeGreaterThan(20);
  });
});
