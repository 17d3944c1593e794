import type { Client, Clients } from './clients.js';
import type { Execution } from './execution.js';
import type { Life } from './life.js';
import { answer, textAt } from './messages/handler.js';

const CREATE_BYTES = 70;
const DELETE_BYTES = 14;
const ENTRY_BYTES = 66;

type Connection = (life: Life, clients: Clients, client: Client, message: Buffer) => Execution;

/** The two requests that concern the connection itself. */
export const HANDSHAKE: Readonly<Record<string, Connection>> = {
  sockclnt_create: create,
  sockclnt_delete: remove,
};

/** u16 id, u32 context, name[64]; no client_index, as there is none yet. */
function create(life: Life, _clients: Clients, client: Client, message: Buffer): Execution {
  if (message.length < CREATE_BYTES) return { kind: 'refused', outcome: 'truncated' };
  client.name = textAt(message, 6, 64);
  const { entries } = life.ids;
  const reply = Buffer.alloc(20 + entries.length * ENTRY_BYTES);
  message.copy(reply, 6, 2, 6);
  reply.writeInt32BE(0, 10);
  reply.writeUInt32BE(client.index, 14);
  reply.writeUInt16BE(entries.length, 18);
  for (const [index, { id, key }] of entries.entries()) {
    const offset = 20 + index * ENTRY_BYTES;
    reply.writeUInt16BE(id, offset);
    reply.write(key, offset + 2, 63);
  }
  return {
    kind: 'executed',
    target: client,
    replies: [{ name: 'sockclnt_create_reply', message: reply }],
    fields: { name: client.name },
    retval: 0,
  };
}

/** u16 id, u32 client_index, u32 context, u32 index of the client to delete. */
function remove(_life: Life, clients: Clients, _client: Client, message: Buffer): Execution {
  if (message.length < DELETE_BYTES) return { kind: 'refused', outcome: 'truncated' };
  const asking = clients.find(message.readUInt32BE(2));
  if (asking === undefined) return { kind: 'refused', outcome: 'wrong-client' };
  const index = message.readUInt32BE(10);
  const isKnown = clients.find(index) !== undefined;
  const response = isKnown ? 1 : -1;
  const reply = answer('sockclnt_delete_reply', message, 10);
  reply.message.writeInt32BE(response, 6);
  return { kind: 'executed', target: asking, replies: [reply], fields: { index }, retval: response, closes: isKnown };
}
