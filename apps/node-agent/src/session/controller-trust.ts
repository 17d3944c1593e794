import { checkServerIdentity, createSecureContext, type PeerCertificate } from 'node:tls';
import { credentials, type ChannelCredentials } from '@grpc/grpc-js';
import { nodeInCertificate, type TlsFiles } from '@waymark/agent-protocol';

/** The lowest version that is spoken; 1.3 wherever both sides can. */
const MIN_VERSION = 'TLSv1.2';

/** Whom this agent takes for a controller, and how it shows who it is. */
export interface ControllerTrust {
  /** For the next connection. */
  credentials(): ChannelCredentials;
  /** Told when somebody who was trusted no longer is: the controller has to prove itself again. */
  onDistrust(listener: () => void): void;
}

/** Whoever answers at the address of a controller: for loopback, and where an operator asks for it. */
export function anyController(): ControllerTrust {
  return { credentials: () => credentials.createInsecure(), onDistrust: () => undefined };
}

/** Mutual TLS: a controller has a certificate of the CA for the name or address it is reached by. Follows the files. */
export function certifiedControllers(files: TlsFiles): ControllerTrust {
  const distrust: (() => void)[] = [];
  files.listen({
    onChange: (_, distrusted) => {
      if (distrusted) for (const listener of distrust) listener();
    },
  });
  return {
    credentials: () => {
      const { ca, cert, key } = files.material;
      const context = createSecureContext({ ca, cert, key, minVersion: MIN_VERSION });
      return credentials.createFromSecureContext(context, { checkServerIdentity: checkController });
    },
    onDistrust: (listener) => void distrust.push(listener),
  };
}

/** Of one CA, but an agent's: no agent passes for a controller, whatever else its certificate says. */
function checkController(host: string, certificate: PeerCertificate): Error | undefined {
  const node = nodeInCertificate(certificate);
  if (node !== undefined) return new Error(`${host} shows the certificate of the agent of ${node}`);
  return checkServerIdentity(host, certificate);
}
