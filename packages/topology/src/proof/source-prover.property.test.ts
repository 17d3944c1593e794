import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatIpv6, parseIpv6 } from '../model/address.js';
import type { PathConstraints } from '../model/path-request.js';
import { freezeSnapshot } from '../snapshot/freeze-snapshot.js';
import { arbitraryRequest } from '../testing/arbitrary-request.js';
import { arbitraryTed, type TedShape } from '../testing/arbitrary-ted.js';
import { naiveContainer } from '../testing/naive-container.js';
import { proveExactly } from './prove.js';
import { SourceProver } from './source-prover.js';

/** Any SIDs of the network, in or out of containers; in some lists one bit is wrong. Most end where they should. */
function cases(shape: TedShape) {
  return arbitraryTed(shape).chain((ted) => {
    const all = ted.nodes.flatMap((node) => node.sids.map((sid) => ({ node: node.id, sid })));
    const node = fc.constantFrom(...ted.nodes.map(({ id }) => id));
    const list = fc
      .record({
        destination: node,
        some: all.length === 0 ? fc.constant([]) : fc.array(fc.constantFrom(...all), { maxLength: 3 }),
        isPacked: fc.boolean(),
        flip: fc.option(fc.record({ entry: fc.nat(), bit: fc.integer({ min: 0, max: 127 }) }), { freq: 1 }),
      })
      .map(({ destination, some, isPacked, flip }) => {
        const last = all.filter((entry) => entry.node === destination && entry.sid.behavior !== 'End.X').slice(-1);
        const sids = [...some, ...last].map(({ sid }) => sid);
        const texts = sids.map(({ sid }) => sid);
        const container = isPacked && sids.length > 0 ? naiveContainer(sids) : null;
        const entries = container === null ? texts : [container];
        const at = flip === null ? -1 : flip.entry % Math.max(1, entries.length);
        const flipped = (text: string) => formatIpv6(parseIpv6(text) ^ (1n << BigInt(flip?.bit ?? 0)));
        return { destination, entries: entries.map((text, i) => (i === at ? flipped(text) : text)) };
      });
    return fc.record({
      ted: fc.constant(ted),
      headend: node,
      constraints: fc.oneof(
        fc.constant<PathConstraints>({}),
        arbitraryRequest(ted, {}).map((request) => request.constraints),
        arbitraryRequest(ted, { bounds: true }).map((request) => request.constraints),
        arbitraryRequest(ted, { include: true }).map((request) => request.constraints),
      ),
      maxSegments: fc.constantFrom(undefined, 1, 2),
      lists: fc.array(list, { minLength: 1, maxLength: 12 }),
    });
  });
}

describe.each<[string, TedShape]>([
  ['a plain network', { maxRouters: 6, maxLinks: 12, healthy: true, routing: 'never' }],
  ['one where things are down, drained and unknown', { maxRouters: 6, maxLinks: 12, narrowLinks: true }],
  ['C-SIDs, flexible algorithms and anycast', { maxRouters: 5, maxLinks: 9, cSids: true, routing: 'always' }],
  ['endpoints with limits', { maxRouters: 4, maxLinks: 7, cSids: true, endpointLimits: true }],
])('proofs of many lists of one headend, in %s', (_, shape) => {
  it('are those of each list by itself', () => {
    let accepted = 0;
    fc.assert(
      fc.property(cases(shape), ({ ted, headend, constraints, maxSegments, lists }) => {
        const snapshot = freezeSnapshot(ted);
        const requirement = { headend, constraints, ...(maxSegments === undefined ? {} : { maxSegments }) };
        const prover = new SourceProver(snapshot, requirement);
        for (const { destination, entries } of lists) {
          const whole = proveExactly(snapshot, entries, { ...requirement, destination });
          const { ok, worst, worstLossUnits, singlePath } = prover.prove(entries, destination);
          if (whole.ok) accepted++;
          expect({ ok, worst, worstLossUnits, singlePath }).toEqual({
            ok: whole.ok,
            worst: whole.worst,
            worstLossUnits: whole.worstLossUnits,
            singlePath: whole.singlePath,
          });
        }
      }),
      { numRuns: Number(process.env['MESH_RUNS'] ?? 1) * 500, endOnFailure: process.env['MESH_RUNS'] !== undefined },
    );
    expect(accepted).toBeGreaterThan(20);
  });
});
