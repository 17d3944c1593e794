import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { startApiServer } from './api-server.js';
import { calicoDefinitions } from './calico-definitions.js';

const USAGE = `kubernetes-stand-in --kubeconfig FILE [--port N] [--calico]
Serves the Kubernetes API on loopback until it gets SIGINT or SIGTERM, and writes the way in to FILE.
--calico serves Calico's resources, too.
`;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { kubeconfig: { type: 'string' }, port: { type: 'string' }, calico: { type: 'boolean' } },
  });
  if (values.kubeconfig === undefined) throw new RangeError('--kubeconfig is missing');
  const port = values.port ?? '0';
  if (!/^\d{1,5}$/.test(port)) throw new RangeError(`--port ${port}: write a port number`);
  const server = await startApiServer({
    port: Number(port),
    definitions: values.calico === true ? calicoDefinitions : [],
  });
  // It holds a token.
  writeFileSync(values.kubeconfig, server.kubeconfig, { mode: 0o600 });
  process.stdout.write(`listening on ${server.url}\n`);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void server.close());
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n${USAGE}`);
  process.exitCode = 1;
});
