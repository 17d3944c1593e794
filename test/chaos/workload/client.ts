/** `unknown`: the connection was lost or nothing came back in time, so the request may have been carried out, or may still be. */
export type Answer =
  | {
      readonly kind: 'answer';
      readonly status: number;
      readonly body: unknown;
      readonly etag: string | null;
      readonly requestId: string | null;
      readonly retryAfter: string | null;
    }
  | { readonly kind: 'unknown'; readonly why: string };

export interface Request {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly path: string;
  readonly body?: unknown;
  readonly ifMatch?: string;
}

const TIMEOUT_MS = 20_000;

/** The REST API as a program sees it that gets through, or does not. */
export class Client {
  readonly #headers: Readonly<Record<string, string>>;
  readonly #onAnswer: (request: Request, answer: Answer) => void;

  /** `onAnswer` hears of everything that comes back. */
  constructor(headers: Readonly<Record<string, string>>, onAnswer: (request: Request, answer: Answer) => void) {
    this.#headers = headers;
    this.#onAnswer = onAnswer;
  }

  async send(base: string, request: Request): Promise<Answer> {
    const answer = await this.#send(base, request);
    this.#onAnswer(request, answer);
    return answer;
  }

  async #send(base: string, { method, path, body, ifMatch }: Request): Promise<Answer> {
    try {
      const response = await fetch(base + path, {
        method,
        headers: {
          ...this.#headers,
          ...(body !== undefined && { 'content-type': 'application/json' }),
          ...(ifMatch !== undefined && { 'if-match': ifMatch }),
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      const text = await response.text();
      return {
        kind: 'answer',
        status: response.status,
        body: text === '' ? undefined : (JSON.parse(text) as unknown),
        etag: response.headers.get('etag'),
        requestId: response.headers.get('x-request-id'),
        retryAfter: response.headers.get('retry-after'),
      };
    } catch (error) {
      const { message, cause } = error as Error;
      return { kind: 'unknown', why: cause instanceof Error ? `${message}: ${cause.message}` : message };
    }
  }
}
