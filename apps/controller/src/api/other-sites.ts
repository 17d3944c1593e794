import type { FastifyRequest } from 'fastify';
import { Problem } from '../model/errors.js';

const loopback = /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/i;

/** What proxies add. */
const forwarding = ['forwarded', 'via', 'x-forwarded-for', 'x-forwarded-host', 'x-real-ip'];

/**
 * Where no credential is asked for, a page of another site that a browser on this machine shows could make requests: those
 * are told by their Origin, or by a Host whose name that site made lead here. A proxy on this machine would let in others, too.
 */
export function refuseOtherSites({ headers, protocol }: Pick<FastifyRequest, 'headers' | 'protocol'>): void {
  const { host = '', origin } = headers;
  const forwarded = forwarding.find((name) => headers[name] !== undefined);
  if (forwarded !== undefined) {
    throw new Problem('forbidden', {
      detail: 'without a key or token the API cannot be used through a proxy: WAYMARK_ADMIN_KEY_FILE asks for keys',
      field: forwarded,
    });
  }
  if (!loopback.test(host)) {
    throw new Problem('forbidden', {
      detail: 'without a key or token the API can only be reached as localhost, 127.0.0.1 or [::1]',
      field: 'Host',
    });
  }
  if (origin === undefined || origin === `${protocol}://${host}`) return;
  throw new Problem('forbidden', {
    detail: 'without a key or token the API cannot be used by pages of other sites',
    field: 'Origin',
  });
}
