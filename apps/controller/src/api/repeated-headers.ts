import { Problem } from '../model/errors.js';
import type { ApiApp } from './type-provider.js';

const single = ['authorization', 'host'];

/**
 * Refuses requests that say twice who makes them or whom they are for (RFC 9110 section 5.3): Node goes by the first, and what
 * stands in front, and decided by it, may have gone by the last.
 */
export function refuseRepeatedHeaders(app: ApiApp): void {
  app.addHook('onRequest', (request, _, done) => {
    const { rawHeaders } = request.raw;
    const names = rawHeaders.filter((_name, index) => index % 2 === 0).map((name) => name.toLowerCase());
    const field = single.find((name) => names.indexOf(name) !== names.lastIndexOf(name));
    if (field === undefined) done();
    else done(new Problem('request-invalid', { detail: `the header ${field} comes more than once`, field }));
  });
}
