import { createLocalJWKSet, errors, type FlattenedJWSInput, type JSONWebKeySet, type JWSHeaderParameters } from 'jose';
import { isTrustworthy } from './oidc-settings.js';

/** So old may keys become before they are read again: one that the issuer withdrew is believed no longer. */
const FRESH_MS = 600_000;
/** So long keys are believed while the issuer does not answer. */
const STALE_MS = 3_600_000;
/** An issuer is asked no more often, however many tokens name keys that nobody knows. */
const ASK_EVERY_MS = 10_000;
const TIMEOUT_MS = 3_000;

/** The issuer does not say what its keys are, and they are not known from before. */
export class KeysUnknown extends Error {
  override readonly name = 'KeysUnknown';
}

type KeySet = ReturnType<typeof createLocalJWKSet>;

/** The public keys of an OIDC issuer, found by its discovery document, kept and read again. */
export class IssuerKeys {
  #known: { readonly keys: KeySet; readonly readAt: number } | undefined;
  #askedAt = -Infinity;
  #asking: Promise<void> | undefined;

  /** `now`: milliseconds of a clock that never goes back. */
  constructor(
    private readonly issuer: string,
    private readonly options: { readonly now: () => number; readonly onTrouble: (error: unknown) => void },
  ) {}

  /** The key that a token names. Throws KeysUnknown, and JOSEError when there is none. */
  async keyOf(header: JWSHeaderParameters, token: FlattenedJWSInput): ReturnType<KeySet> {
    if (this.#age() > FRESH_MS) await this.#ask();
    try {
      return await this.#keys()(header, token);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
      // it may be new
      await this.#ask();
      return this.#keys()(header, token);
    }
  }

  #age(): number {
    return this.#known === undefined ? Infinity : this.options.now() - this.#known.readAt;
  }

  #keys(): KeySet {
    if (this.#known !== undefined && this.#age() <= STALE_MS) return this.#known.keys;
    throw new KeysUnknown(`the keys of ${this.issuer} are not known`);
  }

  /** Reads them, unless that was tried just now; what was known stays when it fails. */
  async #ask(): Promise<void> {
    if (this.#asking === undefined) {
      const now = this.options.now();
      if (now - this.#askedAt < ASK_EVERY_MS) return;
      this.#askedAt = now;
      this.#asking = readKeys(this.issuer)
        .then((keys) => void (this.#known = { keys, readAt: now }))
        .catch((error: unknown) => this.options.onTrouble(error))
        .finally(() => (this.#asking = undefined));
    }
    await this.#asking;
  }
}

/** OpenID Connect Discovery 1.0 section 4. */
async function readKeys(issuer: string): Promise<KeySet> {
  const url = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
  const document = (await readJson(url)) as { readonly issuer?: unknown; readonly jwks_uri?: unknown };
  if (document.issuer !== issuer) throw new Error(`${url} speaks of another issuer: ${String(document.issuer)}`);
  const { jwks_uri: keys } = document;
  if (typeof keys !== 'string' || !isTrustworthy(keys)) throw new Error(`${url} names no jwks_uri that can be trusted`);
  return createLocalJWKSet((await readJson(keys)) as JSONWebKeySet);
}

async function readJson(url: string): Promise<object> {
  const response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS), redirect: 'error' });
  if (!response.ok) throw new Error(`${url} answers ${response.status}`);
  const value: unknown = await response.json();
  if (typeof value !== 'object' || value === null) throw new Error(`${url} answers something else than an object`);
  return value;
}
