export type AuditedEntity =
  | 'sr-policy'
  | 'mesh'
  | 'link-constraints'
  | 'node-constraints'
  | 'planned-sids'
  | 'source'
  | 'agent'
  | 'api-key'
  | 'audit';

/** From what to what one thing was changed; null: there was none, or is none any more. */
export interface AuditedChange {
  readonly entity: AuditedEntity;
  readonly id: string;
  readonly before: object | null;
  readonly after: object | null;
}

export interface AuditEntry {
  readonly id: number;
  readonly at: string;
  readonly revision: number;
  readonly actor: string;
  readonly credential: string | null;
  readonly requestId: string | null;
  readonly owner: string | null;
  readonly kind: string;
  readonly entity: AuditedEntity;
  readonly entityId: string;
  readonly before: Readonly<Record<string, unknown>> | null;
  readonly after: Readonly<Record<string, unknown>> | null;
}
