import type { JsonObject } from './kube-object.js';

/** One thing wrong with one field, as in a Status of reason Invalid or Conflict. */
export interface Cause {
  readonly reason: string;
  readonly message: string;
  readonly field: string;
}

/** What an error is about. */
export interface ErrorSubject {
  readonly group: string;
  /** Plural of the resource, or the kind where Kubernetes names that. */
  readonly kind: string;
  readonly name?: string | undefined;
}

export interface ErrorDetails {
  readonly subject?: ErrorSubject;
  readonly uid?: string;
  readonly causes?: readonly Cause[];
  readonly retryAfterSeconds?: number;
}

/** A request that failed; `status` is the body that Kubernetes answers with. */
export class ApiError extends Error {
  readonly code: number;
  readonly status: JsonObject;
  readonly retryAfterSeconds: number | undefined;

  constructor(code: number, reason: string, message: string, details: ErrorDetails = {}) {
    super(message);
    this.name = 'ApiError';
    this.code = code;
    this.retryAfterSeconds = details.retryAfterSeconds;
    const { subject, uid, causes, retryAfterSeconds } = details;
    const body = {
      ...(subject?.name === undefined ? {} : { name: subject.name }),
      ...(subject === undefined || subject.group === '' ? {} : { group: subject.group }),
      ...(subject === undefined ? {} : { kind: subject.kind }),
      ...(uid === undefined ? {} : { uid }),
      ...(causes === undefined || causes.length === 0 ? {} : { causes }),
      ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
    };
    this.status = {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message,
      ...(reason === '' ? {} : { reason }),
      ...(Object.keys(body).length === 0 ? {} : { details: body }),
      code,
    };
  }
}

/** `srpolicies.waymark.example`, or `nodes` in the core group. */
export function qualified(subject: ErrorSubject): string {
  return subject.group === '' ? subject.kind : `${subject.kind}.${subject.group}`;
}

export function badRequest(message: string): ApiError {
  return new ApiError(400, 'BadRequest', message);
}

export function notFound(subject: ErrorSubject): ApiError {
  return new ApiError(404, 'NotFound', `${qualified(subject)} "${subject.name ?? ''}" not found`, { subject });
}

export function alreadyExists(subject: ErrorSubject): ApiError {
  return new ApiError(409, 'AlreadyExists', `${qualified(subject)} "${subject.name ?? ''}" already exists`, {
    subject,
  });
}

export function conflict(subject: ErrorSubject, why: string): ApiError {
  const message = `Operation cannot be fulfilled on ${qualified(subject)} "${subject.name ?? ''}": ${why}`;
  return new ApiError(409, 'Conflict', message, { subject });
}

export const MODIFIED = 'the object has been modified; please apply your changes to the latest version and try again';

/** 422: `subject.kind` is the kind here, not the plural. */
export function invalid(subject: ErrorSubject, causes: readonly Cause[]): ApiError {
  const told = causes.map(({ field, message }) => `${field}: ${message}`);
  const list = told.length === 1 ? (told[0] ?? '') : `[${told.join(', ')}]`;
  const message = `${qualified(subject)} "${subject.name ?? ''}" is invalid: ${list}`;
  return new ApiError(422, 'Invalid', message, { subject, causes });
}

/** The changes after that resourceVersion are forgotten: list again. */
export function expired(asked: number, oldest: number): ApiError {
  return new ApiError(410, 'Expired', `too old resource version: ${asked} (${oldest})`);
}

/** A continue token whose list is forgotten. */
export function continueExpired(): ApiError {
  return new ApiError(
    410,
    'Expired',
    'The provided continue parameter is too old to display a consistent list result. You must start a new list without the continue parameter.',
  );
}

/** The client has seen a resourceVersion that this server never gave. */
export function tooLargeResourceVersion(asked: number, current: number): ApiError {
  return new ApiError(504, 'Timeout', `Too large resource version: ${asked}, current: ${current}`, {
    causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version', field: '' }],
    retryAfterSeconds: 1,
  });
}
