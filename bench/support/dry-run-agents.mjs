/**
 * Node agents with the dry-run data plane in a process of their own, each with its own gRPC stream, reconciler and state:
 *
 *   node bench/support/dry-run-agents.mjs <controller host:port> <redis url> <state folder> <node> [node ...]
 *
 * They share one Redis connection, as agents of different machines could not. Prints `connected` when all are, and ends
 * when standard input does.
 */
import { join } from 'node:path';
import { RedisBus } from '@waymark/agent-protocol';
import { DryRunDataPlane, NodeAgent } from '@waymark/node-agent';
import { pino } from 'pino';

const BATCH = 50;

const [controller, redisUrl, folder, ...nodes] = process.argv.slice(2);
const log = pino({ level: 'error' });
const bus = new RedisBus(redisUrl, (error) => log.error({ err: error }, 'Redis is out of reach'));
const agents = nodes.map(
  (node) =>
    new NodeAgent({
      nodeId: node,
      controllers: [controller],
      bus,
      dataPlane: new DryRunDataPlane({ log, encapMode: 'reduced', msdHEncaps: 0 }),
      localSids: [],
      stateDirectory: join(folder, node),
      rereadIntervalMs: 30_000,
      log,
    }),
);
process.stdin.resume().on('end', () => {
  void Promise.all(agents.map((agent) => agent.stop())).then(() => bus.close());
});
// Batches: a thousand handshakes at once in one process would time each other out.
for (let first = 0; first < agents.length; first += BATCH) {
  const batch = agents.slice(first, first + BATCH);
  await Promise.all(batch.map((agent) => agent.start()));
  while (!batch.every((agent) => agent.status().session.connected)) await new Promise((again) => setTimeout(again, 20));
}
process.stdout.write('connected\n');
