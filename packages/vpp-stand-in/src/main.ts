import { parseArgs } from 'node:util';
import { VppStandIn } from './stand-in.js';
import type { TableSpec } from './machine/machine.js';

const USAGE = `vpp-stand-in --socket PATH [--seed N] [--table ipv4:ID|ipv6:ID]... [--restart-after MS]
Serves the VPP binary API on a unix socket until it gets SIGINT or SIGTERM.
`;

function readTable(text: string): TableSpec {
  const [family, id] = text.split(':');
  if ((family !== 'ipv4' && family !== 'ipv6') || id === undefined || !/^\d+$/.test(id))
    throw new RangeError(`--table ${text}: write ipv4:ID or ipv6:ID`);
  return { family, id: Number(id) };
}

function readNumber(name: string, text: string): number {
  if (!/^\d+$/.test(text)) throw new RangeError(`--${name} ${text}: write a whole number`);
  return Number(text);
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      socket: { type: 'string' },
      seed: { type: 'string' },
      table: { type: 'string', multiple: true },
      'restart-after': { type: 'string' },
    },
  });
  if (values.socket === undefined) throw new RangeError('--socket is missing');
  const restartAfter = values['restart-after'];
  const vpp = new VppStandIn({
    socketPath: values.socket,
    keepsLog: false,
    tables: (values.table ?? []).map(readTable),
    ...(values.seed === undefined ? {} : { seed: readNumber('seed', values.seed) }),
    ...(restartAfter === undefined ? {} : { restartAfterMs: readNumber('restart-after', restartAfter) }),
  });
  await vpp.start();
  process.stdout.write(`listening on ${vpp.socketPath}\n`);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void vpp.stop());
  for (;;) {
    const { reason, request } = await vpp.nextCrash();
    process.stderr.write(`crashed on ${request}: ${reason}\n`);
    // Nothing is left then to keep this process running.
    if (restartAfter === undefined) process.exitCode = 1;
  }
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n${USAGE}`);
  process.exitCode = 1;
});
