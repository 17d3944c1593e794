import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

export interface PostgresRelay {
  /** The same database through the relay. */
  readonly url: string;
  /** Nothing passes any more, and nothing is closed. */
  silence(): void;
  /** What is said from now on passes again. What was said meanwhile is lost, so sessions of before are of no use. */
  speak(): void;
  close(): Promise<void>;
}

/** A TCP relay to a PostgreSQL. `translator` makes, for each connection, what changes the answers. */
export async function relayPostgres(
  url: string,
  translator: () => (answer: Buffer) => Buffer = () => (answer) => answer,
): Promise<PostgresRelay> {
  const { hostname, port } = new URL(url);
  const sockets = new Set<Socket>();
  let silent = false;
  const server = createServer((client) => {
    const upstream = connect(Number(port), hostname);
    for (const [from, to, change] of [
      [client, upstream, (asked: Buffer) => asked],
      [upstream, client, translator()],
    ] as const) {
      sockets.add(from);
      from.on('error', () => undefined);
      from.on('data', (data: Buffer) => {
        if (!silent) to.write(change(data));
      });
      from.on('end', () => {
        if (!silent) to.end();
      });
      from.on('close', () => sockets.delete(from));
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const relayed = new URL(url);
  relayed.hostname = '127.0.0.1';
  relayed.port = String((server.address() as AddressInfo).port);
  return {
    url: relayed.href,
    silence: () => {
      silent = true;
    },
    speak: () => {
      silent = false;
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
