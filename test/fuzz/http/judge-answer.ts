import { breach } from '../../contract/check-response.js';
import type { OpenApiDocument, Operation } from '../../contract/openapi-document.js';
import type { Verdict } from '../campaign.js';
import type { HttpAnswer } from './http-client.js';

/** What no answer may give away: where the code lies, what it said to Postgres, what an exception was called. */
const leaks =
  /node_modules|\/dist\/|\bat \S+ \(|\.[jt]s:\d+|(?:Type|Reference|Range|Syntax)Error|Cannot read prop|ECONNREFUSED|violates|pg_catalog|kysely|relation "/;

/** Codes whose problem is about one place of the request. */
const withField = new Set([
  ...['request-invalid', 'node-unknown', 'link-unknown', 'mesh-unknown', 'policy-unknown', 'topology-invalid'],
  ...['sid-conflict', 'prefix-claimed', 'precondition-required', 'media-type-unsupported'],
]);

export interface ProblemAnswer {
  readonly code?: string;
  readonly detail?: string;
  readonly remedy?: string;
  readonly requestId?: string;
  readonly field?: string;
  readonly errors?: readonly { readonly field: string; readonly detail: string }[];
}

/** What the request was, as far as its answer is judged by it. */
export interface Judged {
  /** Undefined: whatever the router makes of it. */
  readonly operation?: Operation;
  /** True: nothing but a refusal will do. */
  readonly mustRefuse?: boolean;
  /** What was planted: some of these texts must be in the problem's field, detail or errors. */
  readonly names?: readonly string[];
  /** True: it is valid, and nothing but a success will do. */
  readonly mustAccept?: boolean;
  /** Its own text may come back in a detail. */
  readonly sent: string;
  readonly method: string;
}

export function judgeAnswer(document: OpenApiDocument, request: Judged, answer: HttpAnswer): Verdict {
  const fault = faultOf(document, request, answer);
  return { outcome: String(answer.status), ...(fault === undefined ? {} : { fault: `${nameOf(request)}: ${fault}` }) };
}

function nameOf({ operation }: Judged): string {
  return operation?.operationId ?? 'no operation';
}

function faultOf(
  document: OpenApiDocument,
  request: Judged,
  { status, headers, text }: HttpAnswer,
): string | undefined {
  if (request.method === 'HEAD') return status >= 500 ? `status ${status}` : undefined;
  if (status === 503 && headers['retry-after'] !== undefined) return undefined;
  if (status >= 500 || status < 200) return `status ${status}: ${text.slice(0, 300)}`;
  if (status < 400) {
    if (request.mustRefuse === true || request.names !== undefined) return `it was taken, with status ${status}`;
  } else {
    const wrong = wrongProblem(request, text, headers, status);
    if (wrong !== undefined) return wrong;
    if (request.mustAccept === true) return `a valid request was refused: ${textOf(text)}`;
    const unnamed = unnamedIn(request, text);
    if (unnamed !== undefined) return unnamed;
    const leak = leaks.exec(text)?.[0];
    if (leak !== undefined && !request.sent.includes(leak)) return `the answer gives away "${leak}"`;
  }
  if (request.operation === undefined || status === 404 || status === 405 || status === 417 || status === 431)
    return undefined;
  return breachOf(document, request.operation, { status, headers, text });
}

function breachOf(document: OpenApiDocument, operation: Operation, { status, headers, text }: HttpAnswer) {
  const given = Object.entries(headers).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, String(value)] as const],
  );
  return breach(document, operation, {
    status,
    headers: new Headers(given.map(([name, value]) => [name, value])),
    text,
  })?.slice(0, 300);
}

function wrongProblem(
  { operation }: Judged,
  text: string,
  headers: HttpAnswer['headers'],
  status: number,
): string | undefined {
  // Node itself refuses requests without a Host, and says nothing.
  if (operation === undefined && status === 400 && /^(0\r\n)?\s*$/.test(text)) return undefined;
  if (!String(headers['content-type']).startsWith('application/problem+json'))
    return `status ${status} without a problem document`;
  const { code = '', detail = '', remedy = '', field, requestId } = problemIn(text);
  if (code === '' || detail === '' || remedy === '') return 'a problem without code, detail or remedy';
  // Of bytes that are no request there is nothing to name.
  const isUnread = operation === undefined || requestId === 'none';
  if (withField.has(code) && !isUnread && field === undefined) return `a problem ${code} without a field`;
  return undefined;
}

function unnamedIn({ names }: Judged, text: string): string | undefined {
  if (names === undefined) return undefined;
  const { field = '', detail = '', errors = [] } = problemIn(text);
  const said = [field, detail, ...errors.flatMap((one) => [one.field, one.detail])].join('\n');
  return names.some((name) => said.includes(name))
    ? undefined
    : `the problem names none of ${names.join(', ')}: ${textOf(text)}`;
}

/** Without what differs from one answer to the next. */
function textOf(text: string): string {
  return text.replace(/"requestId":"[^"]*",?/, '').slice(0, 400);
}

function problemIn(text: string): ProblemAnswer {
  try {
    return JSON.parse(text) as ProblemAnswer;
  } catch {
    return {};
  }
}
