import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const SESSIONS = fileURLToPath(new URL('agent-sessions.mjs', import.meta.url));

/** Agents in so many processes, each of which has every so-manieth node. They take no more time from each other than they must. */
export class AgentFleet {
  #parts;

  static async start({ processes, folder, controllers, nodes }) {
    const fleet = new AgentFleet();
    fleet.#parts = await Promise.all(
      Array.from({ length: processes }, (_, part) =>
        startPart(
          folder,
          controllers,
          nodes.filter((_, index) => index % processes === part),
        ),
      ),
    );
    return fleet;
  }

  /** Starts all of them, or some. */
  start(nodes) {
    return this.#each((own) => ({ start: own }), nodes);
  }

  stop(nodes, forget = false) {
    return this.#each((own) => ({ stop: own, forget }), nodes);
  }

  /** {connected, snapshots, hashes: by node}; of all processes together. */
  status() {
    return this.#each(() => ({ status: true }));
  }

  async close() {
    await Promise.all(this.#parts.map(({ close }) => close()));
  }

  async #each(order, nodes) {
    const wanted = nodes && new Set(nodes);
    const answers = await Promise.all(
      this.#parts.map(({ ask, nodes: own }) => ask(order(wanted ? own.filter((node) => wanted.has(node)) : own))),
    );
    return {
      connected: sum(answers, 'connected'),
      snapshots: sum(answers, 'snapshots'),
      hashes: Object.assign({}, ...answers.map(({ hashes }) => hashes)),
    };
  }
}

const sum = (answers, key) => answers.reduce((total, answer) => total + answer[key], 0);

async function startPart(folder, controllers, nodes) {
  const child = fork(SESSIONS, [folder, ...controllers], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  await new Promise((resolve, reject) => {
    child.once('message', resolve);
    ended.then((code) => reject(new Error(`agents ended with ${code}`)));
  });
  const waiting = new Map();
  let asked = 0;
  child.on('message', ({ id, answer }) => {
    waiting.get(id)(answer);
    waiting.delete(id);
  });
  return {
    nodes,
    ask: (order) =>
      new Promise((resolve) => {
        waiting.set(++asked, resolve);
        child.send({ id: asked, order });
      }),
    async close() {
      child.disconnect();
      await ended;
    },
  };
}
