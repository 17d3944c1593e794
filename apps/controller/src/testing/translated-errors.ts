import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** Bytes of a message's type and length. */
const HEADER = 5;

/**
 * A way to a PostgreSQL on which it seems to have `lc_messages` of another language: severities of errors arrive as FEHLER.
 * `url`: the same database through it. (The locales themselves are on few machines.)
 */
export async function translateErrors(url: string): Promise<{ readonly url: string; close(): Promise<void> }> {
  const { hostname, port } = new URL(url);
  const sockets = new Set<Socket>();
  const proxy = createServer((client) => {
    const server = connect(Number(port), hostname);
    let pending = Buffer.alloc(0);
    client.pipe(server);
    server.on('data', (data: Buffer) => {
      pending = Buffer.concat([pending, data]);
      for (let size = sizeOf(pending); size !== undefined && pending.length >= size; size = sizeOf(pending)) {
        client.write(translate(pending.subarray(0, size)));
        pending = pending.subarray(size);
      }
    });
    server.on('end', () => client.end());
    for (const socket of [client, server]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => sockets.delete(socket));
    }
  });
  await new Promise<void>((listening) => proxy.listen(0, '127.0.0.1', listening));
  const translated = new URL(url);
  translated.port = String((proxy.address() as AddressInfo).port);
  translated.hostname = '127.0.0.1';
  return {
    url: translated.href,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((closed) => proxy.close(closed));
    },
  };
}

/** Of the first message: PostgreSQL documentation, section 55.7. */
function sizeOf(bytes: Buffer): number | undefined {
  return bytes.length < HEADER ? undefined : 1 + bytes.readInt32BE(1);
}

/** An ErrorResponse with another severity (field S); the one that is never translated (field V) stays. */
function translate(message: Buffer): Buffer {
  if (message[0] !== 'E'.charCodeAt(0)) return message;
  const fields = Buffer.from(
    message
      .subarray(HEADER)
      .toString('latin1')
      .replace(/^SERROR/, 'SFEHLER'),
    'latin1',
  );
  const header = Buffer.from(message.subarray(0, HEADER));
  header.writeInt32BE(fields.length + HEADER - 1, 1);
  return Buffer.concat([header, fields]);
}
