import type { SecureContextOptions } from 'node:tls';
import { ServerCredentials, type ServerDuplexStream, type ServerWritableStream } from '@grpc/grpc-js';
import { nodeInCertificate, type TlsFiles, type TlsMaterial } from '@waymark/agent-protocol';
import type { NodeId } from '@waymark/topology';
import type { CertificateMarks, RevokedCertificates } from './revoked-certificates.js';

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
  | { readonly kind: 'agent'; readonly node: NodeId; readonly until: number; readonly certificate: CertificateMarks }
  | Stranger;

export interface Stranger {
  readonly kind: 'stranger';
  /** `nameless`: no certificate, or one of no node. `ended`, `revoked`: one that held once. */
  readonly reason: 'nameless' | 'ended' | 'revoked';
  readonly why: string;
  /** That it was the agent of. */
  readonly node?: NodeId;
  /** Of what it shows, as far as that tells one certificate from others. */
  readonly certificate?: CertificateMarks;
}

/** Who gets in at the gRPC server. */
export interface AgentAccess {
  readonly credentials: ServerCredentials;
  callerOf(call: Call, now: number): Caller;
  /** Why a caller that was let in is not any more; undefined: it is. */
  disowned(caller: Caller, now: number): Stranger | undefined;
  /** Told when somebody who was trusted no longer is: every connection has to prove itself again. */
  onDistrust(listener: () => void): void;
}

/** Lets in whoever reaches the port, as whatever node he says: for loopback, and where an operator asks for it. */
export function openAccess(): AgentAccess {
  return {
    credentials: ServerCredentials.createInsecure(),
    callerOf: () => ({ kind: 'anyone' }),
    disowned: () => undefined,
    onDistrust: () => undefined,
  };
}

/** Mutual TLS: agents prove which node is theirs, and speak for no other. Follows the files; `revoked` its own. */
export function certificateAccess(files: TlsFiles, revoked?: Pick<RevokedCertificates, 'has'>): AgentAccess {
  const credentials = new FollowingCredentials(files.material);
  const distrust: (() => void)[] = [];
  files.listen({
    onChange: (material, distrusted) => {
      credentials.follow(material);
      if (distrusted) for (const listener of distrust) listener();
    },
  });
  // A certificate held when its connection was made, which may have been long ago.
  const disowned: AgentAccess['disowned'] = (caller, now) => {
    if (caller.kind !== 'agent') return undefined;
    const { node, until, certificate } = caller;
    if (revoked?.has(certificate) === true) {
      return { kind: 'stranger', reason: 'revoked', node, why: 'the certificate was revoked', certificate };
    }
    if (now < until) return undefined;
    return { kind: 'stranger', reason: 'ended', node, why: 'the certificate has ended', certificate };
  };
  return {
    credentials,
    callerOf(call, now) {
      const caller = bearerOf(call);
      return disowned(caller, now) ?? caller;
    },
    disowned,
    onDistrust: (listener) => void distrust.push(listener),
  };
}

function bearerOf(call: Call): Caller {
  const { sslPeerCertificate: shown } = call.getAuthContext();
  if (shown === undefined) return { kind: 'stranger', reason: 'nameless', why: 'it shows no certificate' };
  const { fingerprint256, serialNumber } = shown;
  const certificate = { fingerprint256, serialNumber };
  const node = nodeInCertificate(shown);
  // a date that cannot be read has passed
  if (node !== undefined) return { kind: 'agent', node, until: Date.parse(shown.valid_to) || 0, certificate };
  const why = 'its certificate names no node (URI spiffe://<trust domain>/waymark/node/<node id>)';
  return { kind: 'stranger', reason: 'nameless', why, certificate };
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
