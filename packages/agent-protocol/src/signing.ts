import { createPrivateKey, createPublicKey, generateKeyPairSync, sign, verify, type KeyObject } from 'node:crypto';
import { ProtocolError } from './protocol-error.js';

/** An Ed25519 key pair (RFC 8032) as stored: PKCS #8 and SPKI, both DER. */
export interface SigningKey {
  readonly privateKey: Uint8Array;
  readonly publicKey: Uint8Array;
}

export function generateSigningKey(): SigningKey {
  const pair = generateKeyPairSync('ed25519');
  return {
    privateKey: pair.privateKey.export({ format: 'der', type: 'pkcs8' }),
    publicKey: pair.publicKey.export({ format: 'der', type: 'spki' }),
  };
}

/** Signs payloads; held by controllers only. */
export class Signer {
  readonly #key: KeyObject;

  constructor(privateKey: Uint8Array) {
    this.#key = createPrivateKey({ key: Buffer.from(privateKey), format: 'der', type: 'pkcs8' });
  }

  /** 64 bytes. */
  sign(payload: Uint8Array): Uint8Array {
    return sign(null, payload, this.#key);
  }
}

/** Checks signatures; all that an agent holds. */
export class Verifier {
  readonly #key: KeyObject;

  /** Throws ProtocolError when the bytes are not an Ed25519 public key in SPKI DER. */
  constructor(publicKey: Uint8Array) {
    this.#key = importPublicKey(publicKey);
  }

  verify(payload: Uint8Array, signature: Uint8Array): boolean {
    return verify(null, payload, this.#key, signature);
  }
}

function importPublicKey(publicKey: Uint8Array): KeyObject {
  let key: KeyObject;
  try {
    key = createPublicKey({ key: Buffer.from(publicKey), format: 'der', type: 'spki' });
  } catch (error) {
    throw new ProtocolError('malformed', 'these bytes are not a public key', { cause: error });
  }
  if (key.asymmetricKeyType !== 'ed25519') throw new ProtocolError('malformed', 'the public key is not Ed25519');
  return key;
}
