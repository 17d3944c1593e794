import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const CLUSTER = fileURLToPath(new URL('stand-in-cluster.mjs', import.meta.url));

/**
 * Starts a cluster of stand-in-cluster.mjs in a process of its own, so that its memory and time are not the controller's.
 * `ask` hands it a message and resolves with its answer.
 */
export async function startCluster({ cluster, nodes, routers, folder }) {
  const child = fork(CLUSTER, [cluster, nodes, routers, folder].map(String), {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const waiting = new Map();
  let asked = 0;
  const { kubeconfig } = await new Promise((resolve, reject) => {
    child.once('message', resolve);
    ended.then((code) => reject(new Error(`cluster ${cluster} ended with ${code}`)));
  });
  child.on('message', ({ id, answer }) => {
    waiting.get(id)(answer);
    waiting.delete(id);
  });
  return {
    name: `dc${cluster}`,
    kubeconfig,
    ask: (ask, more = {}) =>
      new Promise((resolve) => {
        asked += 1;
        waiting.set(asked, resolve);
        child.send({ id: asked, ask, ...more });
      }),
    async stop() {
      child.disconnect();
      await ended;
    },
  };
}
