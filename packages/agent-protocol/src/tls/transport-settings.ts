import { isLoopback } from './loopback.js';
import type { TlsPaths } from './tls-files.js';

/** The settings by which controllers and agents protect their sessions and their connections to Redis; the same on both sides. */
export interface TransportEnvironment {
  readonly WAYMARK_GRPC_CA_FILE?: string;
  readonly WAYMARK_GRPC_CERT_FILE?: string;
  readonly WAYMARK_GRPC_KEY_FILE?: string;
  readonly WAYMARK_GRPC_INSECURE: boolean;
  readonly REDIS_URL?: string;
  readonly REDIS_CA_FILE?: string;
  readonly REDIS_CERT_FILE?: string;
  readonly REDIS_KEY_FILE?: string;
}

const file = { type: 'string', minLength: 1 } as const;

export const transportProperties = {
  WAYMARK_GRPC_CA_FILE: file,
  WAYMARK_GRPC_CERT_FILE: file,
  WAYMARK_GRPC_KEY_FILE: file,
  WAYMARK_GRPC_INSECURE: { type: 'boolean', default: false },
  REDIS_URL: { type: 'string', pattern: '^rediss?://' },
  REDIS_CA_FILE: file,
  REDIS_CERT_FILE: file,
  REDIS_KEY_FILE: file,
} as const;

/**
 * The files of gRPC's TLS; undefined for sessions in the clear, which are allowed on loopback, or where
 * WAYMARK_GRPC_INSECURE asks for them. `hosts` are what `variable` names: whom an agent connects to, where a controller
 * listens. Throws Error naming the variable that does not fit, and the remedy.
 */
export function grpcTlsPaths(
  env: TransportEnvironment,
  variable: string,
  hosts: readonly string[],
): TlsPaths | undefined {
  const { WAYMARK_GRPC_CA_FILE: ca, WAYMARK_GRPC_CERT_FILE: cert, WAYMARK_GRPC_KEY_FILE: key } = env;
  const insecure = env.WAYMARK_GRPC_INSECURE;
  if (ca !== undefined && cert !== undefined && key !== undefined) {
    if (!insecure) return { ca, pair: { cert, key } };
    throw new Error(
      'WAYMARK_GRPC_INSECURE must not be true where certificates are given: remove the one or the others',
    );
  }
  if (ca !== undefined || cert !== undefined || key !== undefined) {
    throw new Error('WAYMARK_GRPC_CA_FILE, WAYMARK_GRPC_CERT_FILE and WAYMARK_GRPC_KEY_FILE must be set together');
  }
  const open = hosts.find((host) => !isLoopback(host));
  if (open === undefined || insecure) return undefined;
  throw new Error(
    `${variable} leads beyond this machine (${open}), and there are no certificates: set WAYMARK_GRPC_CA_FILE, ` +
      'WAYMARK_GRPC_CERT_FILE and WAYMARK_GRPC_KEY_FILE, or WAYMARK_GRPC_INSECURE=true where nobody but ' +
      'controllers and agents reaches that network',
  );
}

/** Throws Error naming the variable whose URL nobody could use, and not the URL: there may be a password in it. */
export function requireUrl(variable: string, url: string): void {
  // what follows a # is no part of any address: it was meant as a character of the password
  if (URL.canParse(url) && new URL(url).hash === '') return;
  throw new Error(
    `${variable} is not a URL: is the port a number up to 65535, and are characters of the password that have a meaning in a ` +
      'URL, such as # and /, written as %xx?',
  );
}

/** The files of Redis's TLS; undefined: none are given. Throws Error naming the variable that does not fit. */
export function redisTlsPaths(env: TransportEnvironment): TlsPaths | undefined {
  const { REDIS_URL: url = '', REDIS_CA_FILE: ca, REDIS_CERT_FILE: cert, REDIS_KEY_FILE: key } = env;
  if (url !== '') requireUrl('REDIS_URL', url);
  if (ca === undefined) {
    if (cert === undefined && key === undefined) return undefined;
    throw new Error(
      'REDIS_CERT_FILE and REDIS_KEY_FILE need REDIS_CA_FILE, the CA that Redis has its certificate from',
    );
  }
  if (!url.startsWith('rediss://')) throw new Error('REDIS_CA_FILE needs a REDIS_URL that begins with rediss://');
  if (cert === undefined && key === undefined) return { ca, pair: null };
  if (cert !== undefined && key !== undefined) return { ca, pair: { cert, key } };
  throw new Error('REDIS_CERT_FILE and REDIS_KEY_FILE must be set together');
}
