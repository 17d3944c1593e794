import type { ApiApp } from './type-provider.js';

/** Of more, each of which may be anybody, nothing is told. */
const ADDRESSES = 16;

/**
 * Tells of each address that speaks for others (X-Forwarded-For) and is not among the trusted proxies, once: if it is a proxy
 * of ours, all who come through it are counted as one.
 */
export function tellOfUntrustedProxies(app: ApiApp): void {
  const told = new Set<string>();
  app.addHook('onRequest', (request, _, done) => {
    const { headers, ips, socket } = request;
    const from = socket.remoteAddress;
    // of who is trusted, `ips` holds himself and for whom he speaks
    if (headers['x-forwarded-for'] !== undefined && (ips?.length ?? 1) === 1 && from !== undefined) {
      if (told.size < ADDRESSES && !told.has(from)) {
        told.add(from);
        request.log.warn(
          { from, setting: 'WAYMARK_TRUSTED_PROXIES' },
          'X-Forwarded-For comes from an address that is no trusted proxy: all who come through it are counted as one client',
        );
      }
    }
    done();
  });
}
