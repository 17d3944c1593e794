import { errors, jwtVerify, type JWTPayload } from 'jose';
import { includesRole, type Identity, type Role } from '../model/access.js';
import { Problem } from '../model/errors.js';
import { KeysUnknown, type IssuerKeys } from './issuer-keys.js';
import type { OidcSettings } from './oidc-settings.js';

/** With a public key only: a secret that verifies could also sign. */
const algorithms = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
];
const CLOCK_TOLERANCE_S = 30;
const RETRY_AFTER_S = 10;
const MAX_NAME = 200;

/** Who an OIDC token (a JWT of the issuer for this audience) says he is, and what he may do. */
export class Tokens {
  constructor(
    private readonly settings: OidcSettings,
    private readonly keys: Pick<IssuerKeys, 'keyOf'>,
    private readonly clock: () => Date,
  ) {}

  /** Throws `unauthenticated`, `forbidden` (it gives no role), and `service-unavailable` while the issuer's keys are not known. */
  async identify(token: string): Promise<Identity> {
    const { issuer, roleClaim, roleOf, nameClaim } = this.settings;
    const payload = await this.#verified(token);
    const name = nameFrom(payload, nameClaim);
    const role = highest(rolesIn(payload, roleClaim).flatMap((theirs) => roleOf.get(theirs) ?? []));
    if (role === undefined) {
      throw new Problem('forbidden', {
        detail: `the token of ${name} has none of ${[...roleOf.keys()].join(', ')} in ${roleClaim.join('.')}`,
      });
    }
    return { name, role, operations: null, credential: `oidc:${issuer}` };
  }

  async #verified(token: string): Promise<JWTPayload> {
    const { issuer, audience } = this.settings;
    try {
      const { payload } = await jwtVerify(token, (header, jws) => this.keys.keyOf(header, jws), {
        ...{ issuer, audience, algorithms, requiredClaims: ['exp', 'sub'] },
        ...{ clockTolerance: CLOCK_TOLERANCE_S, currentDate: this.clock() },
      });
      // that it is there is checked above, and not that it names somebody
      if (typeof payload.sub !== 'string' || payload.sub === '') {
        throw new errors.JWTClaimValidationFailed('it names nobody', payload, 'sub', 'check_failed');
      }
      return payload;
    } catch (error) {
      if (error instanceof KeysUnknown) {
        const detail = 'the issuer of tokens does not tell its keys now; API keys are not concerned';
        throw new Problem('service-unavailable', { detail, retryAfterSeconds: RETRY_AFTER_S });
      }
      if (!(error instanceof errors.JOSEError)) throw error;
      throw new Problem('unauthenticated', { detail: reasonOf(error) });
    }
  }
}

function reasonOf(error: errors.JOSEError): string {
  if (error instanceof errors.JWTExpired) return 'the token has expired';
  if (error instanceof errors.JWTClaimValidationFailed)
    return `the claim ${error.claim} of the token is not as it must be`;
  return 'this is no token that the issuer signed';
}

/** With a mark in front that names of API keys and clusters cannot have. */
function nameFrom(payload: JWTPayload, claim: string): string {
  const value = payload[claim] ?? payload.sub;
  const text = typeof value === 'string' ? value : String(payload.sub);
  return `oidc:${text.slice(0, MAX_NAME).replaceAll(/[\p{Cc}\p{Cs}]/gu, '\ufffd')}`;
}

function rolesIn(payload: JWTPayload, path: readonly string[]): readonly string[] {
  let value: unknown = payload;
  for (const member of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, member)) return [];
    value = (value as Readonly<Record<string, unknown>>)[member];
  }
  return [value].flat().filter((one) => typeof one === 'string');
}

function highest(held: readonly Role[]): Role | undefined {
  return held.reduce<Role | undefined>(
    (best, one) => (best !== undefined && includesRole(best, one) ? best : one),
    undefined,
  );
}
