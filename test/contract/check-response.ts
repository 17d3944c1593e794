import type { OpenApiDocument, Operation } from './openapi-document.js';
import type { ContractRequest } from './generate-requests.js';

export interface ContractResponse {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/** Sends the request and reads the answer; of an endless stream only its head. */
export async function send(baseUrl: string, request: ContractRequest): Promise<ContractResponse> {
  const stop = new AbortController();
  const { method, headers, body } = request;
  const response = await fetch(baseUrl + request.url, {
    method,
    headers,
    signal: stop.signal,
    ...(body === undefined ? {} : { body }),
  });
  const endless = response.headers.get('content-type')?.startsWith('text/event-stream') ?? false;
  const text = endless ? '' : await response.text();
  if (endless) stop.abort();
  return { status: response.status, headers: response.headers, text };
}

/** What is wrong with a response by the document; undefined when nothing is. */
export function breach(
  document: OpenApiDocument,
  operation: Operation,
  response: ContractResponse,
): string | undefined {
  const { status, headers, text } = response;
  if (status >= 500) return `status ${String(status)}: ${text.slice(0, 500)}`;
  const documented = operation.responses[String(status)];
  if (documented === undefined) return `status ${String(status)} is not documented: ${text.slice(0, 500)}`;
  const type = headers.get('content-type')?.split(';')[0];
  const media = type === undefined ? undefined : documented.content?.[type];
  if (documented.content === undefined)
    return text === '' ? undefined : `a body where none is documented: ${text.slice(0, 200)}`;
  if (media === undefined) return `the media type ${String(type)} is not documented for status ${String(status)}`;
  for (const name of Object.keys(documented.headers ?? {})) {
    if (!headers.has(name)) return `the header ${name} is missing`;
  }
  if (!type?.endsWith('json')) return undefined;
  const value: unknown = JSON.parse(text);
  const misfit = document.misfit(media.schema, value);
  return misfit === undefined ? problemMisfit(status, value) : `off its schema: ${misfit}\n${text.slice(0, 1000)}`;
}

function problemMisfit(status: number, value: unknown): string | undefined {
  if (status < 400) return undefined;
  const said = (value as { readonly status: number }).status;
  return said === status ? undefined : `the problem says status ${String(said)}, the response has ${String(status)}`;
}
