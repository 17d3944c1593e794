/**
 * Agents in a process of their own: real sessions with real state files, and a data plane that takes everything at once. Ordered about
 * over the IPC channel by agent-fleet.mjs:
 *
 *   {start: [node, ...]}    all of them at once
 *   {stop: [node, ...], forget}    forget: their state files too
 *   {status: true}          what they are at
 */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { RedisBus } from '@waymark/agent-protocol';
import { AgentSession, anyController } from '@waymark/node-agent';
import { pino } from 'pino';
import { InstantReconciler } from './instant-reconciler.mjs';

const [folder, ...controllers] = process.argv.slice(2);
const log = pino({ level: 'fatal' });
const redisUrl = process.env.REDIS_URL;
const bus = redisUrl ? new RedisBus(redisUrl, () => undefined) : null;
const agents = new Map();
/** Snapshots that agents asked for which have ended. */
let snapshotsBefore = 0;

async function start(node) {
  const agent = new AgentSession({
    nodeId: node,
    identity: () => ({
      ...{ agentVersion: 'bench', dataplane: 'dry-run', msdHEncaps: 8, encapMode: 'reduced', ownedSids: [] },
    }),
    controllers,
    trust: anyController(),
    bus,
    stateDirectory: join(folder, node),
    reconciler: new InstantReconciler(),
    health: () => ({ error: null, driftRepairs: 0 }),
    log,
  });
  agents.set(node, agent);
  await agent.start();
}

async function stop(node, forget) {
  const agent = agents.get(node);
  agents.delete(node);
  await agent.stop();
  snapshotsBefore += agent.status().snapshotRequests;
  if (forget) await rm(join(folder, node), { recursive: true, force: true });
}

function status() {
  const all = [...agents].map(([node, agent]) => ({ node, ...agent.status() }));
  return {
    connected: all.filter(({ connected }) => connected).length,
    snapshots: all.reduce((sum, { snapshotRequests }) => sum + snapshotRequests, snapshotsBefore),
    hashes: Object.fromEntries(all.map(({ node, stateHash }) => [node, Buffer.from(stateHash).toString('hex')])),
  };
}

async function obey(order) {
  if (order.start) await Promise.all(order.start.map(start));
  if (order.stop) await Promise.all(order.stop.map((node) => stop(node, order.forget)));
  return status();
}

process.on('message', ({ id, order }) => {
  obey(order).then((answer) => process.connected && process.send({ id, answer }));
});
process.on('disconnect', () => {
  void Promise.all([...agents.keys()].map((node) => stop(node, false))).then(() => bus?.close());
});
process.send({ ready: true });
