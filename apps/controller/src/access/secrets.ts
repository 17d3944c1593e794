import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

/**
 * API keys are `wmk_<16 hex digits>_<256 random bits, base64url>`. The first two parts are no secret: they find the key.
 * Stored is the SHA-256 of the whole: with 256 random bits there is nothing to guess, so a slow hash would only cost time.
 */
const pattern = /^(wmk_[0-9a-f]{16})_[A-Za-z0-9_-]{43}$/;

export interface Secret {
  readonly prefix: string;
  readonly secret: string;
  readonly hash: Buffer;
}

export function newSecret(): Secret {
  const prefix = `wmk_${randomBytes(8).toString('hex')}`;
  const secret = `${prefix}_${randomBytes(32).toString('base64url')}`;
  return { prefix, secret, hash: hashOf(secret) };
}

/** undefined: it is no API key. */
export function prefixOf(token: string): string | undefined {
  return pattern.exec(token)?.[1];
}

export function hashOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

/** Takes the same time wherever they differ. */
export function isSame(hash: Buffer, other: Buffer): boolean {
  return timingSafeEqual(hash, other);
}
