import type { Client, Clients } from './clients.js';
import { frame } from './framing.js';
import type { Life } from './life.js';
import { FIXED_IDS } from './message-table.js';
import type { Fields } from './messages/handler.js';
import { textAt } from './messages/handler.js';
import type { Outcome } from './request-log.js';

export interface HandshakeResult {
  readonly outcome: Outcome;
  readonly executed: boolean;
  readonly fields?: Fields;
  readonly retval?: number;
}

const CREATE_BYTES = 70;
const DELETE_BYTES = 14;
const ENTRY_BYTES = 66;
const TRUNCATED: HandshakeResult = { outcome: 'truncated', executed: false };

/** sockclnt_create and sockclnt_delete: the only requests that concern the connection itself. */
export function handshake(
  life: Life,
  clients: Clients,
  client: Client,
  name: string,
  message: Buffer,
): HandshakeResult {
  return name === 'sockclnt_create' ? create(life, client, message) : remove(clients, message);
}

/** u16 id, u32 context, name[64]; no client_index, as there is none yet. */
function create(life: Life, client: Client, message: Buffer): HandshakeResult {
  if (message.length < CREATE_BYTES) return TRUNCATED;
  client.name = textAt(message, 6, 64);
  const { entries } = life.ids;
  const reply = Buffer.alloc(20 + entries.length * ENTRY_BYTES);
  reply.writeUInt16BE(FIXED_IDS['sockclnt_create_reply'] ?? 0, 0);
  message.copy(reply, 6, 2, 6);
  reply.writeInt32BE(0, 10);
  reply.writeUInt32BE(client.index, 14);
  reply.writeUInt16BE(entries.length, 18);
  for (const [index, { id, key }] of entries.entries()) {
    const offset = 20 + index * ENTRY_BYTES;
    reply.writeUInt16BE(id, offset);
    reply.write(key, offset + 2, 63);
  }
  client.output.send(frame(reply));
  return { outcome: 'answered', executed: true, fields: { name: client.name }, retval: 0 };
}

/** u16 id, u32 client_index, u32 context, u32 index of the client to delete. */
function remove(clients: Clients, message: Buffer): HandshakeResult {
  if (message.length < DELETE_BYTES) return TRUNCATED;
  const asking = clients.find(message.readUInt32BE(2));
  if (asking === undefined) return { outcome: 'wrong-client', executed: false };
  const index = message.readUInt32BE(10);
  const leaving = clients.find(index);
  const response = leaving === undefined ? -1 : 1;
  const reply = Buffer.alloc(10);
  reply.writeUInt16BE(FIXED_IDS['sockclnt_delete_reply'] ?? 0, 0);
  message.copy(reply, 2, 6, 10);
  reply.writeInt32BE(response, 6);
  if (leaving === undefined) asking.output.send(frame(reply));
  else asking.output.sendAndClose(frame(reply));
  return { outcome: 'answered', executed: true, fields: { index }, retval: response };
}
