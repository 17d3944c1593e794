import type { FastifyRequest } from 'fastify';
import { Problem } from '../model/errors.js';

/** The media types with which a request of this route may come. */
function accepted(request: FastifyRequest): readonly string[] {
  const body = request.routeOptions.schema?.body;
  if (typeof body === 'object' && body !== null && 'content' in body) return Object.keys(body.content as object);
  return ['application/json'];
}

/** The media type of the body, without its parameters; undefined when there is no Content-Type. */
export function mediaTypeOf(request: Pick<FastifyRequest, 'headers'>): string | undefined {
  return request.headers['content-type']?.split(';')[0]?.trim().toLowerCase();
}

/**
 * Refuses a body that the route does not document, before it is read: of another media type, of none, or compressed.
 * Parsers belong to the whole application, so without this a route would take what another one understands.
 */
export function refuseUnknownMediaType(request: FastifyRequest): void {
  if (request.method === 'GET' || request.method === 'HEAD') return;
  const { headers } = request;
  const mediaType = mediaTypeOf(request);
  const allowed = accepted(request);
  const encoding = headers['content-encoding'];
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity') {
    throw new Problem('media-type-unsupported', {
      detail: `the body is encoded as "${encoding}"; send it as it is`,
      field: 'Content-Encoding',
    });
  }
  if (mediaType === undefined) {
    const hasBody = headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
    if (!hasBody) return;
    throw new Problem('media-type-unsupported', {
      detail: `the body has no media type; this operation takes ${allowed.join(', ')}`,
      field: 'Content-Type',
    });
  }
  refuseOtherCharset(headers['content-type'] ?? '');
  if (allowed.includes(mediaType)) return;
  throw new Problem('media-type-unsupported', {
    detail: `the media type "${mediaType}" is not one of ${allowed.join(', ')}`,
    field: 'Content-Type',
  });
}

function refuseOtherCharset(contentType: string): void {
  const [, charset] = /;\s*charset\s*=\s*"?([^\s;"]*)/i.exec(contentType) ?? [];
  if (charset === undefined || ['utf-8', 'utf8', 'us-ascii'].includes(charset.toLowerCase())) return;
  throw new Problem('media-type-unsupported', {
    detail: `the charset "${charset}" is not read; send UTF-8`,
    field: 'Content-Type',
  });
}

/** Refuses a request without the body that its route takes: without a Content-Type no schema would notice. */
export function refuseMissingBody(request: FastifyRequest): void {
  if (request.routeOptions.schema?.body === undefined || request.body !== undefined) return;
  throw new Problem('request-invalid', { detail: 'the request has no body', field: '' });
}
