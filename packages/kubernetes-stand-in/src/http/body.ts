import type { IncomingMessage } from 'node:http';
import { parse } from 'yaml';
import { ApiError, badRequest } from '../model/api-error.js';
import { isJsonObject, type JsonObject } from '../model/kube-object.js';

const MAX_BYTES = 3 * 1024 * 1024;

export interface Body {
  /** Without parameters. */
  readonly mediaType: string;
  readonly text: string;
}

export async function readBody(request: IncomingMessage): Promise<Body> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    const bytes = chunk as Buffer;
    size += bytes.length;
    if (size > MAX_BYTES)
      throw new ApiError(413, 'RequestEntityTooLarge', `Request entity too large: limit is ${MAX_BYTES}`);
    chunks.push(bytes);
  }
  const [mediaType = ''] = (request.headers['content-type'] ?? 'application/json').split(';');
  return { mediaType: mediaType.trim(), text: Buffer.concat(chunks).toString('utf8') };
}

/** The body as a value, from JSON or YAML. @throws ApiError 400, 415 */
export function valueOf({ mediaType, text }: Body): unknown {
  const isYaml = mediaType === 'application/yaml' || mediaType.endsWith('+yaml');
  if (!isYaml && mediaType !== 'application/json' && !mediaType.endsWith('+json')) {
    const message = `the body of the request was in an unknown format - accepted media types include: application/json, application/yaml`;
    throw new ApiError(415, 'UnsupportedMediaType', message);
  }
  try {
    // YAML as Kubernetes reads it: 1.1, where `y` and `no` are booleans.
    return isYaml && !text.startsWith('{') ? parse(text, { version: '1.1' }) : JSON.parse(text);
  } catch (error) {
    throw badRequest(`error decoding the body: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** @throws ApiError 400 when the body is no object */
export function objectOf(body: Body): JsonObject {
  const value = valueOf(body);
  if (!isJsonObject(value)) throw badRequest('the body of the request is not an object');
  return value;
}
