import type { Server, Socket } from 'node:net';
import { normalizeIP } from '@fastify/rate-limit';

/** Closes each connection beyond so many of one address (of IPv6 the /64), so that one client cannot take all that there are. */
export function limitConnectionsPerAddress(server: Server, most: number, onRefused: (socket: Socket) => void): void {
  const openOf = new Map<string, number>();
  server.on('connection', (socket: Socket) => {
    const address = normalizeIP(socket.remoteAddress ?? '');
    const open = openOf.get(address) ?? 0;
    if (open >= most) {
      onRefused(socket);
      socket.destroy();
      return;
    }
    openOf.set(address, open + 1);
    socket.once('close', () => {
      const left = (openOf.get(address) ?? 1) - 1;
      if (left === 0) openOf.delete(address);
      else openOf.set(address, left);
    });
  });
}
