/** From least to most; each may do what those before it may. */
export const roles = ['viewer', 'operator', 'admin'] as const;
export type Role = (typeof roles)[number];

export function includesRole(held: Role, needed: Role): boolean {
  return roles.indexOf(held) >= roles.indexOf(needed);
}

/** In whose name a request is made, and what it may do. */
export interface Identity {
  /** For the change log. */
  readonly name: string;
  readonly role: Role;
  /** The only operations that it may use; null: all of its role. */
  readonly operations: readonly string[] | null;
  /** How it was recognised: `anonymous`, `admin-key`, `api-key:<prefix>` or `oidc:<issuer>`. */
  readonly credential: string;
}

/** Who asks? */
export interface AccessService {
  /** Whoever sends no credential is an admin: only where nobody but this machine can send anything. */
  readonly isOpen: boolean;
  /**
   * `token`: what came as `Authorization: Bearer`, undefined without. Throws Problem `unauthenticated`, `forbidden`, and
   * `service-unavailable` when it cannot be told now.
   */
  identify(token: string | undefined): Promise<Identity>;
}

export interface ApiKeyRequest {
  readonly name: string;
  readonly role: Role;
  readonly operations?: readonly string[];
  readonly expiresAt?: Date;
}

export interface ApiKeyView {
  readonly name: string;
  readonly prefix: string;
  readonly role: Role;
  readonly operations: readonly string[] | null;
  readonly createdAt: string;
  readonly createdBy: string;
  readonly expiresAt: string | null;
  readonly rotatedAt: string | null;
  readonly previousValidUntil: string | null;
  readonly lastUsedAt: string | null;
}

/** A key with what only its first reader gets to see. */
export interface IssuedApiKey {
  readonly key: ApiKeyView;
  readonly secret: string;
}
