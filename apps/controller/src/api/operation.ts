import type { TSchema } from 'typebox';
import { ProblemDocument } from '@waymark/http-contract';
import { problemCatalogue, type ProblemCode } from '../model/errors.js';
import { problemDocument, problemMediaType } from './problems.js';

/** A named example of a request body that works as it is on the demo topology. */
export interface Example {
  readonly summary: string;
  readonly value: unknown;
  /** Only for bodies of this media type; without it for all. */
  readonly mediaType?: string;
}

export interface HeaderDocument {
  readonly description: string;
  readonly required: boolean;
  readonly example?: string;
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What only the document needs: the code checks these headers itself, with its own problems. */
    readonly document?: {
      readonly examples?: Readonly<Record<string, Example>>;
      readonly headers?: Readonly<Record<string, HeaderDocument>>;
    };
  }
}

export type Tag =
  'Topology' | 'Constraints' | 'Paths' | 'SR policies' | 'Meshes' | 'Agents' | 'Sources' | 'Events' | 'Operation';

/** The words of an operation. */
export function words(tag: Tag, operationId: string, summary: string, description: string) {
  return { tags: [tag], operationId, summary, description };
}

/** A JSON response. */
export function json<Schema extends TSchema>(schema: Schema, description: string) {
  return { description, content: { 'application/json': { schema } } };
}

/** A JSON response with the ETag of what operators edit. */
export function tagged<Schema extends TSchema>(schema: Schema, description: string) {
  const etag = { type: 'string', description: 'Version of the resource, for If-Match.', examples: ['"17"'] };
  return { description, headers: { ETag: etag }, content: { 'application/json': { schema } } };
}

/** What was created: with its ETag, and where it is. */
export function created<Schema extends TSchema>(schema: Schema, description: string) {
  const { headers, ...rest } = tagged(schema, description);
  const location = { type: 'string', description: 'Path of the resource.' };
  return { ...rest, headers: { ...headers, Location: location } };
}

/** The body of a PATCH: a JSON merge patch (RFC 7396), under its own media type or plain JSON. */
export function mergePatch<Schema extends TSchema>(schema: Schema) {
  return { content: { 'application/merge-patch+json': { schema }, 'application/json': { schema } } };
}

/** A response without a body. */
export function empty(description: string) {
  return { type: 'null', description };
}

interface ProblemResponse {
  readonly description: string;
  readonly content: {
    readonly 'application/problem+json': {
      readonly schema: typeof ProblemDocument;
      readonly examples: Readonly<Record<string, { readonly $ref: string }>>;
    };
  };
}

type StatusOf<Code extends ProblemCode> = (typeof problemCatalogue)[Code]['status'];

/** The error responses of an operation: one per status, naming the codes that come with it. */
export function problems<Code extends ProblemCode>(
  ...codes: Code[]
): { readonly [Status in StatusOf<Code>]: ProblemResponse } {
  const byStatus = new Map<number, ProblemCode[]>();
  for (const code of new Set<ProblemCode>(codes)) {
    const status = problemCatalogue[code].status;
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  const entries = [...byStatus].map(([status, list]) => [status, problemResponse(list)] as const);
  return Object.fromEntries(entries) as { readonly [Status in StatusOf<Code>]: ProblemResponse };
}

function problemResponse(codes: readonly ProblemCode[]): ProblemResponse {
  const lines = codes.map((code) => `\`${code}\`: ${problemCatalogue[code].title.toLowerCase()}.`);
  const examples = Object.fromEntries(codes.map((code) => [code, { $ref: `#/components/examples/${code}` }]));
  return { description: lines.join(' '), content: { [problemMediaType]: { schema: ProblemDocument, examples } } };
}

/** An example of each problem, for the components of the document. */
export const problemExamples = Object.fromEntries(
  (Object.keys(problemCatalogue) as ProblemCode[]).map((code) => {
    const { status, title } = problemCatalogue[code];
    const info = {
      detail: 'what exactly is wrong, with the offending value',
      ...(status === 503 ? { retryAfterSeconds: 1 } : {}),
    };
    return [code, { summary: title, value: problemDocument(code, info, 'req-7') }];
  }),
);

/** Problems that every operation can have. */
export const readProblems = ['request-invalid', 'service-unavailable'] as const satisfies ProblemCode[];

/** Problems that every operation with a body can have. */
export const bodyProblems = [
  ...readProblems,
  'body-malformed',
  'body-too-large',
  'media-type-unsupported',
] as const satisfies ProblemCode[];

/** Problems that every change under If-Match can have, besides those of its body. */
export const editProblems = [
  ...bodyProblems,
  'not-found',
  'precondition-failed',
  'precondition-required',
] as const satisfies ProblemCode[];

export const actorHeader = {
  'Waymark-Actor': {
    description:
      'Who makes the change, for the change log: 1 to 64 printable ASCII characters; `anonymous` without it.',
    required: false,
  },
} satisfies Record<string, HeaderDocument>;

export const ifMatchHeader = {
  'If-Match': {
    description: 'The ETag that reading the resource returned, or `*` for whatever is there.',
    required: true,
    example: '*',
  },
} satisfies Record<string, HeaderDocument>;

export const createOrReplaceHeaders = {
  'If-Match': { description: 'To replace: the ETag that reading returned, or `*`.', required: false, example: '*' },
  'If-None-Match': { description: 'To create: `*`.', required: false },
  ...actorHeader,
} satisfies Record<string, HeaderDocument>;
