/**
 * Node agents in a process of their own whose data planes take everything at once: real sessions and state files, nothing
 * behind them. Each owns the service SIDs of its node.
 *
 *   node bench/support/session-agents.mjs <controller host:port> <state folder> < one node and its SIDs (DT4, DT6) a line
 *
 * Prints `connected` when all are, and ends when standard input closes after an empty line.
 */
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { RedisBus } from '@waymark/agent-protocol';
import { AgentSession, anyController } from '@waymark/node-agent';
import { ipv6ToBytes } from '@waymark/topology';
import { pino } from 'pino';
import { InstantReconciler } from './instant-reconciler.mjs';

const BATCH = 50;

const [controller, folder] = process.argv.slice(2);
const log = pino({ level: 'error' });
const redisUrl = process.env.REDIS_URL;
const bus = redisUrl ? new RedisBus(redisUrl, (error) => log.error({ err: error }, 'Redis is out of reach')) : null;

function agentOf(node, [dt4, dt6]) {
  return new AgentSession({
    nodeId: node,
    identity: () => ({
      ...{ agentVersion: 'bench', dataplane: 'dry-run', msdHEncaps: 8, encapMode: 'reduced' },
      ownedSids: [
        { sid: ipv6ToBytes(dt4), behavior: 'End.DT4' },
        { sid: ipv6ToBytes(dt6), behavior: 'End.DT6' },
      ],
    }),
    controllers: [controller],
    trust: anyController(),
    bus,
    stateDirectory: join(folder, node),
    reconciler: new InstantReconciler(),
    health: () => ({ error: null, driftRepairs: 0 }),
    log,
  });
}

const agents = [];
const lines = createInterface({ input: process.stdin });
for await (const line of lines) {
  if (line === '') break;
  const [node, ...sids] = line.split(' ');
  agents.push(agentOf(node, sids));
}
process.stdin.resume().on('end', () => {
  void Promise.all(agents.map((agent) => agent.stop())).then(() => bus?.close());
});
// Batches: a thousand handshakes at once in one process would time each other out.
for (let first = 0; first < agents.length; first += BATCH) {
  const batch = agents.slice(first, first + BATCH);
  await Promise.all(batch.map((agent) => agent.start()));
  while (!batch.every((agent) => agent.status().connected)) await new Promise((again) => setTimeout(again, 20));
}
process.stdout.write('connected\n');
