import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../apps/node-agent/dist/main.js', import.meta.url));

/** The node agent as it is shipped, with the dry-run data plane, in a process of its own. `environment` are further settings. */
export function startAgent({ node, controller, folder, environment = {} }) {
  const child = spawn(process.execPath, [MAIN], {
    env: {
      ...process.env,
      WAYMARK_NODE_ID: node,
      WAYMARK_CONTROLLER: controller,
      WAYMARK_DATA_DIR: folder,
      WAYMARK_STATUS_PORT: '0',
      WAYMARK_LOG_LEVEL: 'error',
      REDIS_URL: process.env.REDIS_URL ?? '',
      ...environment,
    },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  const ended = new Promise((resolve) => child.once('exit', resolve));
  return {
    pid: child.pid,
    async stop() {
      child.kill('SIGTERM');
      await ended;
      process.off('exit', kill);
    },
  };
}
