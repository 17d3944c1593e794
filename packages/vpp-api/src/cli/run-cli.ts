import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { builtinDefinitions } from '../builtin/typed.js';
import { VppConnection } from '../connection/vpp-connection.js';
import type { ApiDefinitions } from '../definition/api-definitions.js';
import { fetchDefinitions, loadDefinitions } from '../definition/load.js';
import { VppError } from '../errors.js';
import { jsonText, readableText } from './output.js';
import { readFields } from './read-fields.js';

export interface CliStreams {
  readonly out: (text: string) => unknown;
  readonly err: (text: string) => unknown;
}

interface GlobalOptions {
  readonly socket: string;
  readonly apiDir?: string;
  readonly timeout: number;
  readonly json?: true;
}

const DEFAULT_SOCKET = '/run/vpp/api.sock';
/** As sysexits: wrong usage; 1 is what VPP or the connection refused. */
const USAGE = 2;

/** `vpp-api`: one call or dump from a shell. Returns the exit status. */
export async function runCli(args: readonly string[], { out, err }: CliStreams): Promise<number> {
  const program = new Command('vpp-api')
    .description("Calls VPP's binary API")
    .option('-s, --socket <path>', "VPP's API socket", process.env['VPP_API_SOCKET'] ?? DEFAULT_SOCKET)
    .option(
      '-d, --api-dir <folder>',
      'definitions (*.api.json) to use; default: built-in, then those of the running VPP',
    )
    .option('-t, --timeout <ms>', 'how long to wait for an answer', milliseconds, 5_000)
    .option('--json', 'print JSON')
    .exitOverride()
    .configureOutput({ writeOut: out, writeErr: err });
  const options = (): GlobalOptions => program.opts<GlobalOptions>();
  const print = (value: unknown): void => {
    out(options().json === true ? `${jsonText(value)}\n` : readableText(value));
  };

  program
    .command('call')
    .description('send a request and print its reply')
    .argument('<request>', 'for example show_version')
    .argument('[field=value...]', 'fields of the request: numbers, texts, or JSON')
    .action(async (request: string, fields: readonly string[]) => {
      const values = readFields(fields);
      print(await connected(options(), request, (connection) => connection.call(request, values)));
    });
  program
    .command('dump')
    .description('send a dump and print all its details')
    .argument('<request>', 'for example sr_policies_v2_dump')
    .argument('[field=value...]', 'fields of the request')
    .action(async (request: string, fields: readonly string[]) => {
      const values = readFields(fields);
      print(await connected(options(), request, (connection) => connection.dump(request, values)));
    });
  program
    .command('messages')
    .description('list the messages of the running VPP')
    .argument('[text]', 'only those whose name contains it')
    .action(async (text: string | undefined) => {
      const names = await connected(options(), undefined, (connection) =>
        Promise.resolve(connection.table.names().filter((name) => name.includes(text ?? ''))),
      );
      out(options().json === true ? `${jsonText(names)}\n` : names.map((name) => `${name}\n`).join(''));
    });

  try {
    await program.parseAsync(args, { from: 'user' });
    return 0;
  } catch (error) {
    // Commander has printed what was wrong; help and version end with 0.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : USAGE;
    if (!(error instanceof VppError)) throw error;
    err(`vpp-api: ${error.message}\n`);
    return 1;
  }
}

async function connected<Result>(
  { socket, apiDir, timeout }: GlobalOptions,
  request: string | undefined,
  work: (connection: VppConnection) => Promise<Result>,
): Promise<Result> {
  const definitions: ApiDefinitions = apiDir === undefined ? builtinDefinitions : await loadDefinitions(apiDir);
  const connection = await VppConnection.open({
    socketPath: socket,
    definitions,
    clientName: 'vpp-api',
    timeoutMs: timeout,
  });
  try {
    // What is not built in, the running VPP can describe itself.
    if (request !== undefined && apiDir === undefined && !definitions.has(request)) {
      connection.define(await fetchDefinitions(connection));
    }
    return await work(connection);
  } finally {
    connection.close();
  }
}

function milliseconds(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 3_600_000) {
    throw new InvalidArgumentError('expected milliseconds, from 1 to 3600000');
  }
  return value;
}
