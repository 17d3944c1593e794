import type { Socket } from 'node:net';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { setSecurityHeaders } from './security-headers.js';
import { handleError, problemDocument, problemMediaType } from './problems.js';

/** Errors of the router, before any route is chosen: a path that cannot be decoded. */
export function frameworkError(error: FastifyError, request: FastifyRequest, reply: FastifyReply): void {
  // hooks have not run
  setSecurityHeaders(reply.header('x-request-id', request.id));
  void handleError(error, request, reply);
}

/**
 * Errors of the HTTP parser, before there is a request. Who does not close the connection after the answer, and so keeps it from others,
 * has it closed after `lingerMs`: at once, the answer could be lost with what he was sending.
 */
export function answerClientError(error: Error & { readonly code: string }, socket: Socket, lingerMs: number): void {
  if (error.code === 'ECONNRESET' || socket.destroyed || !socket.writable) {
    socket.destroy();
    return;
  }
  const [status, reason] =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? [431, 'Request Header Fields Too Large']
      : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? [408, 'Request Timeout']
        : [400, 'Bad Request'];
  const document = { ...problemDocument('request-invalid', { detail: error.message }, 'none'), status };
  const body = JSON.stringify(document);
  const head = [
    `HTTP/1.1 ${String(status)} ${reason}`,
    `Content-Type: ${problemMediaType}`,
    `Content-Length: ${String(Buffer.byteLength(body))}`,
    'Connection: close',
    'Cache-Control: no-store',
    'X-Content-Type-Options: nosniff',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
  const lingering = setTimeout(() => socket.destroy(), lingerMs);
  socket.once('close', () => clearTimeout(lingering));
}
