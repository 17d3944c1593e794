// Brings a checkout to the point where it can run: dependencies installed, TypeScript built. Both are skipped when
// nothing changed since the last time. Uses Node alone, because it runs before anything is installed.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

const installStamp = join(root, 'node_modules', '.waymark-install.json');
const buildStamp = join(root, 'node_modules', '.waymark-build.json');

export function requireNode() {
  const [major, minor, patch] = process.versions.node.split('.').map(Number);
  if (major > 20 || (major === 20 && (minor > 20 || (minor === 20 && patch >= 2)))) return;
  fail(`Waymark needs Node 20.20.2 or newer; this is ${process.versions.node}.`);
}

/** Installs what the lockfile names: runtime parts and the compiler, or everything when `dev`. */
export function install({ dev }) {
  const lock = hashOf([join(root, 'package-lock.json')], (file) => readFileSync(file));
  const stamp = readStamp(installStamp);
  if (stamp?.lock === lock && (stamp.dev || !dev)) return;
  const everything = dev || stamp?.dev === true;
  say(`Installing ${everything ? 'all' : 'runtime'} dependencies (once; under a minute) ...`);
  run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error', ...(everything ? [] : ['--omit=dev'])]);
  writeFileSync(installStamp, JSON.stringify({ lock, dev: everything }));
}

/** Compiles all workspaces; the compiler itself rebuilds only what changed. */
export function build() {
  const sources = hashOf(sourceFiles(), (file) => {
    const { size, mtimeMs } = statSync(file);
    return `${file} ${size} ${mtimeMs}`;
  });
  const built = workspaces().every((folder) => existsSync(join(folder, 'dist')));
  if (built && readStamp(buildStamp)?.sources === sources) return;
  say('Building ...');
  run(process.execPath, [join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-b']);
  writeFileSync(buildStamp, JSON.stringify({ sources }));
}

export function run(command, args, options = {}) {
  const result = spawnSync(command, args, {
    cwd: root,
    stdio: 'inherit',
    shell: process.platform === 'win32',
    ...options,
  });
  if (result.error) fail(`${command} could not be started: ${result.error.message}`);
  if (result.status !== 0) fail(`${command} ${args.join(' ')} ended with status ${result.status ?? result.signal}.`);
}

export function say(line) {
  process.stderr.write(`${line}\n`);
}

export function fail(line) {
  say(line);
  process.exit(1);
}

function workspaces() {
  return ['packages', 'apps'].flatMap((group) => readdirSync(join(root, group)).map((name) => join(root, group, name)));
}

function sourceFiles() {
  const files = [join(root, 'tsconfig.json'), join(root, 'tsconfig.base.json'), installStamp];
  for (const folder of workspaces()) {
    files.push(join(folder, 'tsconfig.json'), join(folder, 'package.json'));
    for (const entry of readdirSync(join(folder, 'src'), { recursive: true, withFileTypes: true })) {
      if (entry.isFile()) files.push(join(entry.parentPath, entry.name));
    }
  }
  return files.filter((file) => existsSync(file)).sort();
}

function hashOf(files, describe) {
  const hash = createHash('sha256');
  for (const file of files) hash.update(describe(file));
  return hash.digest('hex');
}

function readStamp(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined; // first run, or an interrupted one: do the work
  }
}
