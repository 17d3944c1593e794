import { createHmac, randomBytes } from 'node:crypto';
import type { Identity } from '../model/access.js';

/** That are remembered; of more, those used longest ago are forgotten. */
const CREDENTIALS = 10_000;
/** What `openssl rand -hex 32` prints. */
const RANDOM_ADMIN_KEY = /^bearer +[0-9a-f]{64} *$/i;

/**
 * Credentials that were accepted from an address lately. Somebody who tries keys may go on trying against them while his
 * address is locked, so only what nobody can find by trying is remembered: API keys and tokens, and the admin key where it
 * is one of 256 random bits, which the others need not be. They are found by a hash under a key of this process: how long
 * looking one up takes says nothing about them, and nobody can choose what his hash begins with. `authorization` is the whole
 * header.
 */
export class AcceptedCredentials {
  readonly #key = randomBytes(32);
  /** Those used longest ago first. */
  readonly #digests = new Set<string>();

  has(address: string, authorization: string): boolean {
    return this.#digests.has(this.#digestOf(address, authorization));
  }

  note(address: string, authorization: string, { credential }: Pick<Identity, 'credential'>): void {
    if (credential === 'admin-key' && !RANDOM_ADMIN_KEY.test(authorization)) return;
    const digest = this.#digestOf(address, authorization);
    this.#digests.delete(digest);
    this.#digests.add(digest);
    const [oldest] = this.#digests;
    if (this.#digests.size > CREDENTIALS && oldest !== undefined) this.#digests.delete(oldest);
  }

  forget(address: string, authorization: string): void {
    this.#digests.delete(this.#digestOf(address, authorization));
  }

  #digestOf(address: string, authorization: string): string {
    return createHmac('sha256', this.#key).update(`${address} ${authorization}`).digest('base64');
  }
}
