import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { importedTopology } from './imported-topology.mjs';

const MAIN = fileURLToPath(new URL('../../apps/controller/dist/main.js', import.meta.url));

// A benchmark that is interrupted takes its controller with it.
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));

/**
 * The controller as it is shipped, in a process of its own on loopback; `environment` are further settings. Resolves
 * when it serves. `grpcAddress` is where its agents connect.
 */
export async function startController(environment) {
  const grpcPort = environment.WAYMARK_GRPC_PORT ?? (await freePort());
  const folder = mkdtempSync(join(tmpdir(), 'waymark-bench-key-'));
  const adminKeyFile = join(folder, 'admin-key');
  const adminKey = randomBytes(32).toString('hex');
  writeFileSync(adminKeyFile, adminKey, { mode: 0o600 });
  const authorization = `Bearer ${adminKey}`;
  const child = spawn(process.execPath, [MAIN], {
    env: {
      ...process.env,
      WAYMARK_HTTP_PORT: '0',
      WAYMARK_GRPC_PORT: String(grpcPort),
      WAYMARK_LOG_LEVEL: 'error',
      WAYMARK_ADMIN_KEY_FILE: adminKeyFile,
      ...environment,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const kill = () => {
    child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  };
  process.once('exit', kill);
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const url = await new Promise((resolve, reject) => {
    let printed = '';
    child.stdout.setEncoding('utf8').on('data', (text) => {
      printed += text;
      const match = /^API: (\S+)$/m.exec(printed);
      if (match !== null) resolve(match[1]);
    });
    ended.then((code) => reject(new Error(`the controller ended with ${code}:\n${printed}`)));
  });
  const end = async (signal) => {
    child.kill(signal);
    await ended;
    process.off('exit', kill);
    rmSync(folder, { recursive: true, force: true });
  };
  return {
    url,
    pid: child.pid,
    /** Of every request: the controller is asked as an admin. */
    headers: { authorization },
    grpcAddress: `127.0.0.1:${grpcPort}`,
    /** One request with a JSON body; throws unless the answer is 2xx. */
    async request(method, path, body) {
      const response = await fetch(`${url}${path}`, {
        method,
        headers: { authorization, ...(body !== undefined && { 'content-type': 'application/json' }) },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
      return JSON.parse(text);
    },
    /** CPU time of all its threads, in seconds. */
    async cpuSeconds() {
      const metrics = await (await fetch(`${url}/metrics`, { headers: { authorization } })).text();
      return Number(/^process_cpu_seconds_total (\S+)$/m.exec(metrics)[1]);
    },
    stop: () => end('SIGTERM'),
    /** As a machine that fails: without a word to anybody. */
    kill: () => end('SIGKILL'),
  };
}

async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Hands over a controller on an embedded database that holds the network of that name (importedTopology), and ends it. */
export async function onNetwork(name, work) {
  const folder = await mkdtemp(join(tmpdir(), 'waymark-bench-'));
  const controller = await startController({
    DATABASE_URL: '',
    REDIS_URL: '',
    WAYMARK_DATA_DIR: folder,
    WAYMARK_DEMO: 'off',
  });
  try {
    const { content, ted } = await importedTopology(name);
    await controller.request('POST', '/v1/topology/imports', { format: 'native', source: 'bench', content });
    await work(controller, ted);
  } finally {
    await controller.stop();
    await rm(folder, { recursive: true, force: true });
  }
}
