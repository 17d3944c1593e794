import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { deriveSnapshot } from '../snapshot/derive-snapshot.js';
import { freezeSnapshot } from '../snapshot/freeze-snapshot.js';
import { snapshotChanges } from '../snapshot/snapshot-changes.js';
import type { Snapshot } from '../snapshot/snapshot.js';
import { arbitraryChange, withChanges } from '../testing/arbitrary-changes.js';
import { arbitraryTed } from '../testing/arbitrary-ted.js';
import { IgpReach } from './igp-reach.js';

/** From which router, and perhaps for which host, and for which node: each modulo how many there are. */
const question = fc.record({ from: fc.nat(), host: fc.option(fc.nat(), { freq: 2 }), to: fc.nat() });
const step = fc.record({
  changes: fc.array(arbitraryChange, { minLength: 1, maxLength: 2 }),
  asked: fc.array(question, { maxLength: 4 }),
});
const scenario = fc.record({
  ted: arbitraryTed({ maxRouters: 6, maxLinks: 10 }),
  algorithm: fc.constantFrom(0, 0, 128),
  asked: fc.array(question, { minLength: 1, maxLength: 8 }),
  steps: fc.array(step, { minLength: 1, maxLength: 4 }),
});

function routersAndHosts(snapshot: Snapshot): { readonly routers: number[]; readonly hosts: number[] } {
  const nodes = [...snapshot.nodeIds.keys()];
  return {
    routers: nodes.filter((node) => !snapshot.isHost(node)),
    hosts: nodes.filter((node) => snapshot.isHost(node)),
  };
}

/** Grows what the questions need, and no more. */
function ask(
  snapshot: Snapshot,
  reach: IgpReach,
  questions: readonly { from: number; host: number | null; to: number }[],
) {
  const { routers, hosts } = routersAndHosts(snapshot);
  for (const { from, host, to } of questions) {
    const leaf = host === null || hosts.length === 0 ? -1 : (hosts[host % hosts.length] as number);
    reach.startAt(routers[from % routers.length] as number, leaf);
    reach.distanceTo(leaf >= 0 ? leaf : (routers[to % routers.length] as number));
  }
}

function everythingFrom(snapshot: Snapshot, reach: IgpReach) {
  const { routers, hosts } = routersAndHosts(snapshot);
  return routers.flatMap((router) =>
    [-1, ...hosts].map((leaf) => {
      reach.startAt(router, leaf);
      const nodes = [...routers, ...hosts].map((node) => [reach.distanceTo(node), reach.shortestArcsInto(node)]);
      return { nodes, order: [...snapshot.nodeIds.keys()].map((i) => reach.nth(i)) };
    }),
  );
}

describe('what is known of the shortest paths of the IGP when a change comes', () => {
  it('is taken over where the change does not touch it, and gives what is grown anew; the old snapshot grows its own again', () => {
    fc.assert(
      fc.property(scenario, ({ ted: first, algorithm, asked, steps }) => {
        let ted = first;
        let snapshot = freezeSnapshot(ted);
        fc.pre(routersAndHosts(snapshot).routers.length > 0);
        let reach = new IgpReach(snapshot, algorithm);
        ask(snapshot, reach, asked);
        for (const { changes, asked: more } of steps) {
          const next = withChanges(ted, changes);
          const difference = snapshotChanges(snapshot, ted, next);
          if (difference === null) throw new Error('no values alone');
          const [oldSnapshot, old] = [snapshot, reach];
          snapshot = deriveSnapshot(snapshot, difference);
          reach = new IgpReach(snapshot, algorithm, old);
          ask(snapshot, reach, more);
          ted = next;
          expect(everythingFrom(oldSnapshot, old)).toEqual(
            everythingFrom(oldSnapshot, new IgpReach(oldSnapshot, algorithm)),
          );
        }
        expect(everythingFrom(snapshot, reach)).toEqual(everythingFrom(snapshot, new IgpReach(snapshot, algorithm)));
      }),
      { numRuns: 1_000 },
    );
  });
});
