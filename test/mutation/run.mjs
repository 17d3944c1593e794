// `npm run mutation [-- room]`: how many faults, put into a room of the path engine, its tests notice. Installs what it needs here.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(new URL('.', import.meta.url));
const root = fileURLToPath(new URL('../..', import.meta.url));

const [room = 'proof', ...others] = process.argv.slice(2);
if (!existsSync(`${root}packages/topology/src/${room}`)) {
  process.stderr.write(`packages/topology/src has no folder ${room}\n`);
  process.exit(2);
}
run('npm', ['ci'], here);
run('npx', ['tsc', '-b'], root);
run(`${here}node_modules/.bin/stryker`, ['run', `${here}stryker.config.mjs`, ...others], root);

function run(command, args, cwd) {
  const { status, error } = spawnSync(command, args, {
    cwd,
    stdio: 'inherit',
    env: { ...process.env, MUTATED_ROOM: room },
  });
  if (error !== undefined) process.stderr.write(`${error.message}\n`);
  if (status !== 0) process.exit(status ?? 1);
}
