import type { IncomingMessage, ServerResponse } from 'node:http';
import { problemDocument, problemMediaType } from './problems.js';
import type { ApiApp } from './type-provider.js';

/** Node refuses an expectation other than 100-continue before there is a request, and without a word. */
export function answerExpectations(app: ApiApp): void {
  app.server.on('checkExpectation', ({ headers: { expect } }: IncomingMessage, response: ServerResponse) => {
    const detail = `nothing but "100-continue" can be expected, not "${expect ?? ''}"`;
    const body = JSON.stringify({
      ...problemDocument('request-invalid', { detail, field: 'Expect' }, 'none'),
      status: 417,
    });
    response.writeHead(417, {
      'content-type': problemMediaType,
      'content-length': Buffer.byteLength(body),
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      connection: 'close',
    });
    response.end(body);
  });
}
