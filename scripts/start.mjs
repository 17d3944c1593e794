// `npm start`: the whole system on loopback, with nothing to set up.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { build, install, requireNode, root } from './prepare.mjs';

requireNode();
install({ dev: false });
build();

const controller = spawn(process.execPath, [join(root, 'apps', 'controller', 'dist', 'main.js')], {
  cwd: root,
  stdio: 'inherit',
});
// The terminal sends its signals to the whole group; from elsewhere they must be passed on.
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => controller.kill(signal));
controller.on('exit', (code, signal) => {
  process.exitCode = code ?? (signal === 'SIGINT' || signal === 'SIGTERM' ? 0 : 1);
});
