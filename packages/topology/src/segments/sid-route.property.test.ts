import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { freezeSnapshot } from '../snapshot/freeze-snapshot.js';
import { arbitraryTed } from '../testing/arbitrary-ted.js';
import { trajectories } from '../testing/packet-oracle.js';
import { AlgorithmReaches } from './algorithm-reaches.js';
import { leadsOnlyTo, routeOf } from './sid-route.js';

describe('a route to one owner of an anycast SID', () => {
  it('is taken for one where every packet gets to that owner, and only there', () => {
    const seen = { alone: 0, otherwise: 0 };
    fc.assert(
      fc.property(arbitraryTed({ maxRouters: 5, maxLinks: 8, routing: 'always' }), (ted) => {
        const snapshot = freezeSnapshot(ted);
        const reaches = new AlgorithmReaches(snapshot);
        for (const owner of ted.nodes.filter(({ kind }) => kind === 'router')) {
          for (const sid of snapshot.sidsOf(snapshot.nodeIndexOf(owner.id))) {
            const route = routeOf(snapshot, sid);
            if (route.kind !== 'igp' || route.anycast === null || snapshot.sidBehaviorOf(sid) !== 'End') continue;
            for (const { id, kind, operationalState } of ted.nodes) {
              if (kind === 'host' || id === owner.id || operationalState === 'down') continue;
              const reach = reaches.of(route.algorithm);
              reach.startAt(snapshot.nodeIndexOf(id), -1);
              const isAlone = leadsOnlyTo(snapshot, reach, snapshot.nodeIndexOf(owner.id), route.anycast);
              const ways = trajectories(ted, id, owner.id, [snapshot.sidTextOf(sid)]);
              expect(isAlone).toBe(ways.every(({ outcome }) => outcome === 'delivered'));
              seen[isAlone ? 'alone' : 'otherwise']++;
            }
          }
        }
      }),
      { numRuns: 1000 },
    );
    expect(seen.alone).toBeGreaterThan(50);
    expect(seen.otherwise).toBeGreaterThan(50);
  });
});
