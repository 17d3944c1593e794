import { serializeTopology } from '@waymark/topology-formats';
import { storeIntent } from '../../apps/controller/dist/policies/policy-intents.js';
import { withRevision } from '../../apps/controller/dist/storage/revision.js';
import { cpuMs } from './cpu-time.mjs';
import { startLeader } from './leader.mjs';

/** Longer than the hold-down of the delay machine: each failure is the first of its kind (RFC 8405). */
const QUIET_MS = 2_200;

/**
 * How long the leader takes from the event that a link is down until everything that follows from it is committed and given to
 * the bus: the event's own transaction, the wait for more of its kind, what is affected, evaluation in the worker threads, states and
 * generations. In milliseconds per failure, of those that move something; CPU time is that of this process, without
 * PostgreSQL. `policies` are as the evaluator takes them.
 */
export async function wholeReactions(ted, policies, failing) {
  let lastPublished;
  let moved = 0;
  const leader = await startLeader((deltas) => {
    lastPublished = performance.now();
    moved += deltas.reduce((sum, { changes }) => sum + changes.length, 0);
  });
  try {
    const actor = { name: 'bench' };
    // The format has no more than 64 SRH entries for what a headend can push.
    const nodes = ted.nodes.map((node) => ({ ...node, msdHEncaps: 64 }));
    const text = serializeTopology({ ...ted, nodes }, 'json');
    await leader.ted.importTopology({ text, format: 'native', source: 'bench', actor });
    await leader.settled();
    const header = { actor: actor.name, kind: 'policy-create', summary: 'policies of the bench', ted: false };
    await withRevision(leader.db, header, async (tx, revision) => {
      for (const policy of policies) await storeIntent(tx, policy, revision);
    });
    await leader.settled();
    let sequence = 0;
    const tell = ({ id, reverseId }, state) =>
      leader.ted.applySourceBatch(
        'igp',
        {
          sequence: ++sequence,
          full: false,
          events: [id, reverseId].map((link) => ({ kind: 'link-state', link, state })),
        },
        actor,
      );
    const found = [];
    for (const link of failing) {
      await new Promise((resolve) => setTimeout(resolve, QUIET_MS));
      lastPublished = undefined;
      moved = 0;
      const [start, startCpu] = [performance.now(), cpuMs()];
      await tell(link, 'down');
      const committed = performance.now() - start;
      await leader.settled();
      const cpu = cpuMs() - startCpu;
      if (moved > 0) found.push({ committed, published: lastPublished - start, cpu, moved });
      await tell(link, 'up');
      await leader.settled();
    }
    return found;
  } finally {
    await leader.stop();
  }
}
