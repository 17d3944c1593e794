import type { ServerResponse } from 'node:http';
import { ApiError } from '../model/api-error.js';
import type { Answer } from './resource-handler.js';

/** As many items of a list are written in one piece. */
const ITEMS_AT_ONCE = 500;

export function respond(response: ServerResponse, { code, body, warnings = [] }: Answer): void {
  response.statusCode = code;
  response.setHeader('content-type', 'application/json');
  if (warnings.length > 0)
    response.setHeader(
      'warning',
      warnings.map((text) => `299 - ${JSON.stringify(text)}`),
    );
  const { items, ...rest } = body as { readonly items?: readonly object[] };
  if (items === undefined || items.length <= ITEMS_AT_ONCE) {
    response.end(JSON.stringify(body));
    return;
  }
  // One text of a large list might be longer than a string may be.
  response.write(`${JSON.stringify(rest).slice(0, -1)},"items":[`);
  for (let at = 0; at < items.length; at += ITEMS_AT_ONCE) {
    const piece = JSON.stringify(items.slice(at, at + ITEMS_AT_ONCE)).slice(1, -1);
    response.write(at === 0 ? piece : `,${piece}`);
  }
  response.end(']}');
}

export function respondError(response: ServerResponse, error: unknown): void {
  const told =
    error instanceof ApiError
      ? error
      : new ApiError(
          500,
          'InternalError',
          `Internal error occurred: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
        );
  if (told.retryAfterSeconds !== undefined) response.setHeader('retry-after', String(told.retryAfterSeconds));
  respond(response, { code: told.code, body: told.status });
}
