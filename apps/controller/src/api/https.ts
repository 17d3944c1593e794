import type { Server as HttpServer } from 'node:http';
import { Server as HttpsServer, type ServerOptions } from 'node:https';
import type { TlsFiles, TlsMaterial } from '@waymark/agent-protocol';

/** The lowest version that is spoken; 1.3 wherever both sides can. */
const MIN_VERSION = 'TLSv1.2';

/** A caller that does not come to terms by then makes room. */
const HANDSHAKE_MS = 10_000;

export function httpsOptions({ material }: TlsFiles): ServerOptions {
  return { ...contextOf(material), handshakeTimeout: HANDSHAKE_MS };
}

/** Certificates that are renewed are used by the next connection, and end none. */
export function followCertificates(server: HttpServer, files: TlsFiles): void {
  if (!(server instanceof HttpsServer)) throw new TypeError('this server speaks no TLS');
  files.listen({ onChange: (material) => server.setSecureContext(contextOf(material)) });
}

function contextOf({ cert, key }: TlsMaterial) {
  return { cert, key, minVersion: MIN_VERSION } as const;
}
