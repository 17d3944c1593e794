import type { Operation } from '../../contract/openapi-document.js';
import type { FuzzCase } from '../campaign.js';

/** One request, or bytes that may be none, and what is known of it before it is answered. */
export interface HttpCase extends FuzzCase {
  readonly operation?: Operation;
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Buffer;
  /** Sent on a connection of its own instead of all that. */
  readonly bytes?: Buffer;
  readonly mustRefuse?: boolean;
  readonly mustAccept?: boolean;
  readonly names?: readonly string[];
}

/** The same with its text for people. */
export function httpCase(one: Omit<HttpCase, 'text'>): HttpCase {
  const { method, url, headers, body, bytes } = one;
  const fields = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  const text =
    bytes?.toString('latin1') ?? [`${method} ${url}`, ...fields, '', body?.toString('latin1') ?? ''].join('\n');
  return { ...one, text };
}
