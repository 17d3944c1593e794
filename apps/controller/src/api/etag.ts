import type { IncomingHttpHeaders } from 'node:http';
import { Problem } from '../model/errors.js';

/** ETags are versions in quotes: strong, as RFC 9110 section 13.1.1 asks of If-Match. */
export function etagOf(version: number): string {
  return `"${String(version)}"`;
}

const entityTag = /^(?:W\/)?"[\x21\x23-\x7e]*"$/;
const version = /^"(0|[1-9]\d{0,15})"$/;

/**
 * The version that a change may replace, from its If-Match header: the one it names, or with `*` or several the current
 * one. Throws `precondition-required` without a header, `request-invalid` for a malformed one and `precondition-failed`
 * when no tag can be the current one; whether a single named version is current the service checks in its transaction.
 */
export async function expectedVersion(header: string | undefined, current: () => Promise<number>): Promise<number> {
  if (header === undefined)
    throw new Problem('precondition-required', { detail: 'there is no If-Match header', field: 'If-Match' });
  const tags = header.split(',').map((tag) => tag.trim());
  if (tags.length === 1 && tags[0] === '*') return current();
  if (!tags.every((tag) => entityTag.test(tag))) {
    throw new Problem('request-invalid', {
      detail: 'If-Match is neither * nor a list of quoted ETags',
      field: 'If-Match',
    });
  }
  const versions = tags.map((tag) => version.exec(tag)?.[1]).filter((text) => text !== undefined);
  const only = versions[0];
  if (tags.length === 1 && only !== undefined) return Number(only);
  const now = await current();
  if (versions.map(Number).includes(now)) return now;
  throw new Problem('precondition-failed', { detail: `the current ETag is ${etagOf(now)}`, field: 'If-Match' });
}

/** Whether a PUT shall only create: `If-None-Match: *`. Throws `request-invalid` for any other If-None-Match. */
export function createsOnly(headers: IncomingHttpHeaders): boolean {
  const header = headers['if-none-match'];
  if (header === undefined) return false;
  if (header.trim() === '*' && headers['if-match'] === undefined) return true;
  throw new Problem('request-invalid', {
    detail: 'If-None-Match can only be * and only without If-Match',
    field: 'If-None-Match',
  });
}

/** For `catch` of a creation by PUT: that something is there already is what If-None-Match asked about (RFC 9110 section 13.1.2). */
export function asFailedPrecondition(error: unknown): never {
  if (!(error instanceof Problem) || error.code !== 'already-exists') throw error;
  throw new Problem('precondition-failed', { detail: error.info.detail, field: 'If-None-Match' });
}
