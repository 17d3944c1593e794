import { roles, type Role } from '../model/access.js';
import { StartFault } from '../model/start-fault.js';

/** Whose tokens are believed, and what they may do. */
export interface OidcSettings {
  readonly issuer: string;
  readonly audience: string;
  /** Names of members, from the outermost: the roles of the token are there. */
  readonly roleClaim: readonly string[];
  /** Our role by the issuer's. */
  readonly roleOf: ReadonlyMap<string, Role>;
  readonly nameClaim: string;
}

/**
 * `roles`: `viewer=staff,operator=netops,operator=noc,admin=netops-leads`. undefined without an issuer.
 *
 * @throws StartFault naming the setting that does not fit.
 */
export function oidcSettings(settings: {
  readonly issuer: string | undefined;
  readonly audience: string | undefined;
  readonly roleClaim: string;
  readonly roles: string;
  readonly nameClaim: string;
}): OidcSettings | undefined {
  const { issuer, audience, roleClaim, nameClaim } = settings;
  if (issuer === undefined) return undefined;
  if (!isTrustworthy(issuer)) {
    throw new StartFault('WAYMARK_OIDC_ISSUER must be an https URL (or http on loopback) without user and password');
  }
  if (audience === undefined) {
    throw new StartFault(
      'WAYMARK_OIDC_ISSUER needs WAYMARK_OIDC_AUDIENCE: tokens for other services are not for this one',
    );
  }
  return { issuer, audience, roleClaim: roleClaim.split('.'), roleOf: rolesByTheirs(settings.roles), nameClaim };
}

/** What comes from there has not been altered on the way. Who is in the URL would be seen in logs and in the audit. */
export function isTrustworthy(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const { protocol, hostname, username, password } = new URL(url);
  if (username !== '' || password !== '') return false;
  return protocol === 'https:' || (protocol === 'http:' && /^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname));
}

function rolesByTheirs(text: string): ReadonlyMap<string, Role> {
  const pairs = text.split(',').map((pair) => {
    const [ours = '', ...theirs] = pair.split('=').map((part) => part.trim());
    const name = theirs.join('=');
    if (name !== '' && isRole(ours)) return [name, ours] as const;
    throw new StartFault(
      `WAYMARK_OIDC_ROLES must be pairs like operator=netops, separated by commas, of ${roles.join(', ')}; "${pair}" is none`,
    );
  });
  return new Map(pairs);
}

function isRole(text: string): text is Role {
  return (roles as readonly string[]).includes(text);
}
