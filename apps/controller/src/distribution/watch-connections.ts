import type { Server as NodeServer, Socket } from 'node:net';
import type { Server } from '@grpc/grpc-js';
import { limitConnectionsPerAddress } from '../connections-per-address.js';

export interface ConnectionWatch {
  readonly connections: number;
  readonly connectionsPerAddress: number;
  /** One more than these. */
  readonly onTooMany: () => void;
  /** TLS itself refused it: `why` is the code that Node or OpenSSL has for it. */
  readonly onRefusedHandshake: (why: string) => void;
}

/** A connection of TLS, with what is wrong with the certificate that came. */
interface Refused {
  readonly authorizationError?: Error | string | null;
  /** That it speaks over. */
  readonly _parent?: Socket | null;
}

/**
 * Bounds the connections of a gRPC server that listens, and tells which of them TLS refuses. The library has neither, so this
 * takes hold of the servers of Node that it listens with. One that is closed because there are too many is none that TLS refuses.
 */
export function watchConnections(server: Server, watch: ConnectionWatch): void {
  const { http2Servers } = server as unknown as { readonly http2Servers?: ReadonlyMap<NodeServer, unknown> };
  if (http2Servers === undefined || http2Servers.size === 0) throw new Error('the gRPC server listens with no server');
  for (const listening of http2Servers.keys()) {
    listening.maxConnections = watch.connections;
    listening.on('drop', watch.onTooMany);
    const tooMany = new WeakSet<Socket>();
    limitConnectionsPerAddress(listening, watch.connectionsPerAddress, (socket) => {
      tooMany.add(socket);
      watch.onTooMany();
    });
    listening.on('tlsClientError', (error: NodeJS.ErrnoException, { authorizationError, _parent }: Refused) => {
      if (_parent && tooMany.has(_parent)) return;
      // Node ends the connection of somebody whose certificate does not verify, so the error is no more than that
      watch.onRefusedHandshake(String(authorizationError ?? error.code ?? error.message));
    });
  }
}
