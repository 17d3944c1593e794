import type { SecureContextOptions } from 'node:tls';
import { ServerCredentials, type ServerDuplexStream, type ServerWritableStream } from '@grpc/grpc-js';
import { nodeInCertificate, type TlsFiles, type TlsMaterial } from '@waymark/agent-protocol';
import type { NodeId } from '@waymark/topology';

/** The lowest version that is spoken; 1.3 wherever both sides can. */
const MIN_VERSION = 'TLSv1.2';

/** A handshake goes by the CAs that were trusted when it began, so it had better not take long. */
const HANDSHAKE_MS = 10_000;

type Call = Pick<ServerDuplexStream<unknown, unknown> | ServerWritableStream<unknown, unknown>, 'getAuthContext'>;

/** For whom a call may speak. */
export type Caller =
  /** Nobody asks: sessions are in the clear. */
  | { readonly kind: 'anyone' }
  /** For this node, for as long as its certificate holds (milliseconds since 1970). */
  | { readonly kind: 'agent'; readonly node: NodeId; readonly until: number }
  | { readonly kind: 'stranger'; readonly why: string };

/** Who gets in at the gRPC server. */
export interface AgentAccess {
  readonly credentials: ServerCredentials;
  callerOf(call: Call, now: number): Caller;
  /** Told when somebody who was trusted no longer is: every connection has to prove itself again. */
  onDistrust(listener: () => void): void;
}

/** Lets in whoever reaches the port, as whatever node he says: for loopback, and where an operator asks for it. */
export function openAccess(): AgentAccess {
  return {
    credentials: ServerCredentials.createInsecure(),
    callerOf: () => ({ kind: 'anyone' }),
    onDistrust: () => undefined,
  };
}

/** Mutual TLS: agents prove which node is theirs, and speak for no other. Follows the files. */
export function certificateAccess(files: TlsFiles): AgentAccess {
  const credentials = new FollowingCredentials(files.material);
  const distrust: (() => void)[] = [];
  files.listen({
    onChange: (material, distrusted) => {
      credentials.follow(material);
      if (distrusted) for (const listener of distrust) listener();
    },
  });
  return { credentials, callerOf, onDistrust: (listener) => void distrust.push(listener) };
}

function callerOf(call: Call, now: number): Caller {
  const { sslPeerCertificate: certificate } = call.getAuthContext();
  if (certificate === undefined) return { kind: 'stranger', why: 'it shows no certificate' };
  const until = Date.parse(certificate.valid_to);
  // It held when the connection was made, which may have been long ago.
  if (!(now < until)) return { kind: 'stranger', why: `its certificate ended at ${certificate.valid_to}` };
  const node = nodeInCertificate(certificate);
  if (node !== undefined) return { kind: 'agent', node, until };
  return {
    kind: 'stranger',
    why: 'its certificate names no node (URI spiffe://<trust domain>/waymark/node/<node id>)',
  };
}

/** Connections that are made from now on use the newest certificates; those that exist stay as they are. */
class FollowingCredentials extends ServerCredentials {
  constructor(material: TlsMaterial) {
    super({ requestCert: true, rejectUnauthorized: true, handshakeTimeout: HANDSHAKE_MS }, contextOf(material));
  }

  follow(material: TlsMaterial): void {
    this.updateSecureContextOptions(contextOf(material));
  }

  override _equals(other: ServerCredentials): boolean {
    return this === other;
  }
}

function contextOf({ ca, cert, key }: TlsMaterial): SecureContextOptions {
  return { ca, cert, key, minVersion: MIN_VERSION };
}
