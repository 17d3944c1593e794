import { isSecret } from './recorded-operations.js';
import type { RequestOutput } from '../model/recording.js';

const headerNames = ['content-type', 'etag', 'location'];

/** What a recording has of the answer to a request. `payload`: as it is sent. */
export function recordedAnswer(
  operation: string,
  answer: {
    readonly status: number;
    readonly headers: Readonly<Record<string, unknown>>;
    readonly payload: unknown;
  },
): NonNullable<RequestOutput> {
  const { status, payload } = answer;
  const headers = headerNames.flatMap((name) => {
    // Of an answer without content Fastify takes both away once the hooks have seen them.
    if (name === 'content-type' && !hasBody(status, payload)) return [];
    const value = answer.headers[name];
    return typeof value === 'string' ? [[name, value] as const] : [];
  });
  return { status, headers: Object.fromEntries(headers), body: bodyOf(operation, answer, payload) };
}

function bodyOf(
  operation: string,
  { status, headers }: Pick<Parameters<typeof recordedAnswer>[1], 'status' | 'headers'>,
  payload: unknown,
) {
  if (status < 400 && isSecret(operation)) return '[secret]';
  if (!hasBody(status, payload)) return null;
  const type = headers['content-type'];
  return typeof type === 'string' && type.includes('json') ? (JSON.parse(payload) as unknown) : payload;
}

function hasBody(status: number, payload: unknown): payload is string {
  return status !== 204 && typeof payload === 'string' && payload !== '';
}
