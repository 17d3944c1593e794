import { createWriteStream } from 'node:fs';
import { parseArgs } from 'node:util';
import { logTlsFiles, RedisBus, TlsFiles, type TlsPaths } from '@waymark/agent-protocol';
import closeWithGrace from 'close-with-grace';
import { pino, type Logger } from 'pino';
import { readConfig, type AgentConfig } from './config.js';
import { DryRunDataPlane } from './dataplane/dry-run.js';
import { LinuxDataPlane } from './dataplane/linux/linux-data-plane.js';
import { systemShell } from './dataplane/linux/shell.js';
import type { DataPlane } from './dataplane/port.js';
import { VppDataPlane } from './dataplane/vpp/vpp-data-plane.js';
import { VppLink } from './dataplane/vpp/vpp-link.js';
import { NodeAgent } from './node-agent.js';
import { withdraw } from './reconcile/withdraw.js';
import { anyController, certifiedControllers } from './session/controller-trust.js';
import { StatusServer } from './status-server.js';

const { values } = parseArgs({ options: { withdraw: { type: 'boolean', default: false } } });
const config = settings();
const log = pino({ level: config.logLevel, base: { node: config.nodeId } });
const dataPlane = dataPlaneOf(config, log);

if (values.withdraw) {
  try {
    const removed = await withdraw(dataPlane);
    log.info({ removed }, 'everything of ours is gone from the data plane');
  } catch (error) {
    log.fatal({ err: error }, 'what is ours could not be withdrawn');
    process.exitCode = 1;
  } finally {
    dataPlane.close();
  }
} else {
  await run();
}

async function run(): Promise<void> {
  const { redisUrl, redisTls, grpcTls, statusPort, ...options } = config;
  const redisFiles = openTlsFiles('REDIS', redisTls);
  const bus =
    redisUrl === undefined
      ? null
      : new RedisBus(
          redisUrl,
          (error) => log.warn({ err: error }, 'Redis cannot be used; heartbeats carry on'),
          redisFiles,
        );
  const grpcFiles = openTlsFiles('WAYMARK_GRPC', grpcTls);
  if (options.grpcInsecure) {
    log.warn(
      { controllers: options.controllers },
      'WAYMARK_GRPC_INSECURE: whoever is on the way to a controller can pass for one, and tell this node what to install',
    );
  }
  const trust = grpcFiles === undefined ? anyController() : certifiedControllers(grpcFiles);
  const agent = new NodeAgent({ ...options, trust, bus, dataPlane, log });
  const status = new StatusServer(() => agent.status());
  closeWithGrace({ delay: 10_000, logger: log }, async ({ err, signal }) => {
    if (err) log.fatal({ err }, 'node agent failed');
    log.info({ signal }, 'node agent stopping; the data plane stays as it is');
    await agent.stop();
    await bus?.close();
    for (const files of [grpcFiles, redisFiles]) files?.close();
    if (statusPort !== undefined) await status.close();
  });
  if (statusPort !== undefined) {
    const port = await status.listen(statusPort);
    log.info(`status: http://127.0.0.1:${port}/status`);
  }
  await agent.start();
}

function openTlsFiles(prefix: string, paths: TlsPaths | undefined): TlsFiles | undefined {
  if (paths === undefined) return undefined;
  const files = fitting(() => new TlsFiles(paths), `see ${prefix}_CA_FILE, ${prefix}_CERT_FILE and ${prefix}_KEY_FILE`);
  logTlsFiles(files, prefix, log);
  return files;
}

function settings(): AgentConfig {
  return fitting(() => readConfig(process.env), 'docs/node-agent.md lists all settings');
}

/** Ends the agent with a sentence, and no stack, when an operator can put it right. */
function fitting<Result>(read: () => Result, remedy: string): Result {
  try {
    return read();
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)} (${remedy})\n`);
    process.exit(1);
  }
}

function dataPlaneOf({ dataPlane: settings }: AgentConfig, logger: Logger): DataPlane {
  if (settings.kind === 'vpp') return new VppDataPlane(settings.settings, new VppLink(settings.settings.socketPath));
  if (settings.kind === 'linux') return new LinuxDataPlane(settings.settings, systemShell());
  const { encapMode, msdHEncaps, file } = settings;
  if (file === undefined) return new DryRunDataPlane({ log: logger, encapMode, msdHEncaps });
  const lines = createWriteStream(file, { flags: 'a' });
  return new DryRunDataPlane({ log: logger, encapMode, msdHEncaps, record: (line) => lines.write(`${line}\n`) });
}
