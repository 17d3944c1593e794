import type { ErrorObject } from 'ajv';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import type { ProblemDocument } from '@waymark/http-contract';
import { Problem, problemCatalogue, type ProblemCode, type ProblemDetail } from '../model/errors.js';
import { isOutage, OutcomeUnknown } from '../model/outage.js';
import { printable } from '../model/printable.js';
import { explainErrors } from './explain-validation.js';

export const problemMediaType = 'application/problem+json';

/** The RFC 9457 document of a problem. */
export function problemDocument(code: ProblemCode, info: ProblemDetail, requestId: string): ProblemDocument {
  const { status, title, remedy } = problemCatalogue[code];
  const { detail, field, errors, retryAfterSeconds } = info;
  return {
    type: `urn:waymark:problem:${code}`,
    title,
    status,
    detail: printable(detail, 4000),
    code,
    remedy,
    requestId,
    ...(field === undefined ? {} : { field: printable(field, 1000) }),
    ...(errors === undefined || errors.length < 2
      ? {}
      : { errors: errors.map((one) => ({ field: printable(one.field, 1000), detail: printable(one.detail, 4000) })) }),
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
  };
}

export function sendProblem(request: FastifyRequest, reply: FastifyReply, code: ProblemCode, info: ProblemDetail) {
  const document = problemDocument(code, info, request.id);
  if (info.retryAfterSeconds !== undefined) void reply.header('retry-after', String(info.retryAfterSeconds));
  if (document.status === 401) void reply.header('www-authenticate', challenge(request));
  return reply.code(document.status).header('content-type', problemMediaType).send(JSON.stringify(document));
}

/** RFC 6750 section 3: an error only where something was sent that is in error. */
function challenge({ headers: { authorization } }: FastifyRequest): string {
  return authorization === undefined ? 'Bearer realm="waymark"' : 'Bearer realm="waymark", error="invalid_token"';
}

/** Sends whatever was thrown as a problem document. What is not foreseen is logged and answered without details. */
export function handleError(error: unknown, request: FastifyRequest, reply: FastifyReply) {
  const problem = asProblem(error);
  if (problem.code === 'internal-error') request.log.error({ err: error }, 'unexpected error');
  return sendProblem(request, reply, problem.code, problem.info);
}

function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof OutcomeUnknown) {
    return new Problem('outcome-unknown', {
      detail: 'the database went away while the change was being committed',
      retryAfterSeconds: 1,
    });
  }
  if (isOutage(error)) {
    return new Problem('service-unavailable', {
      detail: 'the database does not answer, or has no room',
      retryAfterSeconds: 1,
    });
  }
  return isFastifyError(error) ? problemOfFastify(error) : unexpected;
}

const unexpected = new Problem('internal-error', { detail: 'the log of the controller has the details' });

function isFastifyError(error: unknown): error is FastifyError {
  return error instanceof Error && ('validation' in error || 'statusCode' in error);
}

function problemOfFastify(error: FastifyError): Problem {
  if (error.validation !== undefined) {
    // compileValidator uses Ajv, whose errors these are
    const { pointer, detail } = explainErrors(error.validation as ErrorObject[]);
    const isBody = error.validationContext === 'body';
    const field = isBody ? pointer : pointer.slice(1);
    const name = field !== '' ? field : isBody ? 'the body' : 'a parameter without a name';
    return new Problem('request-invalid', { detail: `${name} ${detail}`, field });
  }
  switch (error.statusCode) {
    case 400:
      return error.code === 'FST_ERR_BAD_URL'
        ? new Problem('request-invalid', { detail: error.message, field: 'path' })
        : new Problem('body-malformed', { detail: error.message, field: '' });
    // of @fastify/static, for a path that leads out of its folder
    case 403:
    case 404:
      return new Problem('route-unknown', { detail: 'there is nothing at this path' });
    case 413:
      return new Problem('body-too-large', { detail: error.message });
    case 414:
      return new Problem('request-invalid', { detail: error.message, field: 'path' });
    case 415:
      return new Problem('media-type-unsupported', { detail: error.message });
    default:
      return unexpected;
  }
}
