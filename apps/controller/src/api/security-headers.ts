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

/** Before a route adds its own. Encryption is the matter of what stands in front, and so is Strict-Transport-Security. */
export function setSecurityHeaders(reply: FastifyReply): void {
  void reply.headers({ ...always, 'content-security-policy': noPage });
}
