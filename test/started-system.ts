import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ManagedProcess } from './lab/managed-process.js';

export const root = join(import.meta.dirname, '..');

/** The whole system as `npm start` runs it, on free ports and in a data folder of its own. */
export interface StartedSystem {
  readonly url: string;
  readonly process: ManagedProcess;
  /** Resolves when nothing is under way: every agent connected, every change computed, taken and read back. */
  settled(): Promise<void>;
  /** Returns how the process ended. */
  stop(signal?: 'SIGINT' | 'SIGTERM'): Promise<string>;
}

export async function startSystem(settings: NodeJS.ProcessEnv = {}): Promise<StartedSystem> {
  const folder = await mkdtemp(join(tmpdir(), 'waymark-started-'));
  // PostgreSQL runs under another account when the tests run as root
  await chmod(folder, 0o755);
  const controller = ManagedProcess.spawn('waymark', [process.execPath, join(root, 'apps/controller/dist/main.js')], {
    WAYMARK_HTTP_PORT: '0',
    WAYMARK_GRPC_PORT: '0',
    WAYMARK_DATA_DIR: folder,
    WAYMARK_LOG_LEVEL: 'warn',
    ...settings,
  });
  const stop = async (signal?: 'SIGINT' | 'SIGTERM') => {
    const status = await controller.stop(signal);
    await rm(folder, { recursive: true, force: true });
    return status;
  };
  try {
    const [, url = ''] = await controller.printed(/^API: (\S+)\nSwagger UI: \1\/docs$/m, 120_000);
    return { url, process: controller, settled: () => settled(url), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

interface Head {
  readonly revision: number;
  readonly computedThrough: number;
  readonly hosts: number;
}

interface Agents {
  readonly items: readonly { readonly inSync: boolean; readonly policies: { readonly pending: number } }[];
}

async function settled(url: string): Promise<void> {
  const read = async <Body>(path: string): Promise<Body> => (await (await fetch(url + path)).json()) as Body;
  const deadline = Date.now() + 60_000;
  for (;;) {
    const before = await read<Head>('/v1/topology');
    const { items } = await read<Agents>('/v1/agents?limit=1000&state=connected');
    const after = await read<Head>('/v1/topology');
    const isComputed = before.computedThrough === after.revision;
    const isTaken = items.length === after.hosts && items.every((one) => one.inSync && one.policies.pending === 0);
    if (isComputed && isTaken) return;
    if (Date.now() > deadline) throw new Error(`still at work: ${JSON.stringify({ after, items })}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
