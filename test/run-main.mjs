// `node test/run-main.mjs FILE ...`: builds what is tested, then runs the `main` of a TypeScript file of this folder with the
// other arguments. The file says what they are.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { createViteServer } from 'vitest/node';

const root = fileURLToPath(new URL('..', import.meta.url));
const built = spawnSync(process.execPath, [`${root}node_modules/typescript/bin/tsc`, '-b'], {
  cwd: root,
  stdio: 'inherit',
});
if (built.status !== 0) process.exit(1);

const server = await createViteServer({
  root,
  configFile: false,
  logLevel: 'error',
  appType: 'custom',
  optimizeDeps: { noDiscovery: true },
  server: { middlewareMode: true, hmr: false, ws: false, watch: null },
});
const [file, ...rest] = process.argv.slice(2);
try {
  const { main } = await server.ssrLoadModule(`/test/${file}`);
  await main(rest);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  process.exitCode = 1;
}
// What loads the modules has work of its own that may go on for minutes.
process.exit();
