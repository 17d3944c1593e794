import type { FastifyReply } from 'fastify';

/** Answers are data for programs: no browser takes them for a page, shows them in one, or lets other sites read them. */
const always = {
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
} as const;

const noPage = "default-src 'none'; frame-ancestors 'none'";

/** Swagger UI runs only what this server serves; its styles are partly inline. */
export const swaggerContentSecurityPolicy = {
  'default-src': ["'none'"],
  'script-src': ["'self'"],
  'style-src': ["'self'", "'unsafe-inline'"],
  'img-src': ["'self'", 'data:'],
  'connect-src': ["'self'"],
  'base-uri': ["'none'"],
  'form-action': ["'none'"],
  'frame-ancestors': ["'none'"],
};

/** A year, as browsers ask for it; of this name alone. */
const onlyEncrypted = { 'strict-transport-security': 'max-age=31536000' } as const;

/** Before a route adds its own. Without TLS here, Strict-Transport-Security is the matter of what stands in front. */
export function setSecurityHeaders(reply: FastifyReply): void {
  const isEncrypted = reply.request.protocol === 'https';
  void reply.headers({ ...always, 'content-security-policy': noPage, ...(isEncrypted && onlyEncrypted) });
}
