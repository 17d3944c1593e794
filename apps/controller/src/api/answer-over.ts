import { Socket } from 'node:net';
import type { FastifyReply, FastifyRequest } from 'fastify';

const waitingOn = new WeakMap<Socket, Set<() => void>>();

/** Is nobody there any more who could be answered? */
export function isOver({ raw: { socket } }: FastifyRequest, { raw }: FastifyReply): boolean {
  return raw.destroyed || connectionOf(socket)?.destroyed === true;
}

/**
 * Calls back once: when the answer has gone out, or its client has; at once when that is so already. Of answers that wait
 * behind another one on their connection (pipelining) Node says nothing when the connection ends: their `close` never comes.
 */
export function onceOver(request: FastifyRequest, reply: FastifyReply, callback: () => void): void {
  if (isOver(request, reply)) {
    callback();
    return;
  }
  const { raw } = reply;
  const connection = connectionOf(request.raw.socket);
  const waiting = connection === undefined ? new Set<() => void>() : answersOn(connection);
  waiting.add(callback);
  raw.once('close', () => {
    if (waiting.delete(callback)) callback();
  });
}

/** undefined: app.inject has none. */
function connectionOf(socket: unknown): Socket | undefined {
  return socket instanceof Socket ? socket : undefined;
}

/** However many answers there are on a connection: one listener. */
function answersOn(socket: Socket): Set<() => void> {
  const known = waitingOn.get(socket);
  if (known !== undefined) return known;
  const waiting = new Set<() => void>();
  waitingOn.set(socket, waiting);
  socket.once('close', () => {
    for (const callback of [...waiting]) if (waiting.delete(callback)) callback();
  });
  return waiting;
}
