import type { TSchema } from 'typebox';
import { ProblemDocument } from '@waymark/http-contract';
import type { Role } from '../model/access.js';
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

/**
 * Who may use each operation. Reading, and computing what is answered at once, is for viewers; whatever changes intent or
 * topology, and jobs that keep this controller busy, for operators; who may do what, for admins. Probes ask before anybody
 * can have a key, and learn no more than whether the controller works.
 */
export const operationRoles = {
  getHealth: 'anyone',
  getReadiness: 'anyone',
  getMetrics: 'viewer',
  listControllers: 'viewer',
  getTopology: 'viewer',
  exportTopology: 'viewer',
  importTopology: 'operator',
  listChanges: 'viewer',
  getChange: 'viewer',
  listNodes: 'viewer',
  getNode: 'viewer',
  listLinks: 'viewer',
  getLink: 'viewer',
  listLinkConstraints: 'viewer',
  getLinkConstraints: 'viewer',
  setManyLinkConstraints: 'operator',
  putLinkConstraints: 'operator',
  patchLinkConstraints: 'operator',
  clearLinkConstraints: 'operator',
  getNodeConstraints: 'viewer',
  putNodeConstraints: 'operator',
  patchNodeConstraints: 'operator',
  clearNodeConstraints: 'operator',
  confirmPlannedSids: 'operator',
  computePaths: 'viewer',
  computeDisjointPaths: 'viewer',
  proveSegmentList: 'viewer',
  createPathBatch: 'operator',
  getPathBatch: 'viewer',
  listPathBatchAnswers: 'viewer',
  followPathBatch: 'viewer',
  deletePathBatch: 'operator',
  listPolicies: 'viewer',
  getPolicy: 'viewer',
  predictPolicyDetours: 'viewer',
  createPolicy: 'operator',
  putPolicy: 'operator',
  deletePolicy: 'operator',
  pinPolicy: 'operator',
  unpinPolicy: 'operator',
  rollBackPolicy: 'operator',
  listMeshes: 'viewer',
  listServiceClasses: 'viewer',
  getMesh: 'viewer',
  createMesh: 'operator',
  putMesh: 'operator',
  deleteMesh: 'operator',
  dryRun: 'viewer',
  startFailureSweep: 'operator',
  readFailureSweep: 'viewer',
  listSweptFailures: 'viewer',
  listPoliciesAtRisk: 'viewer',
  deleteFailureSweep: 'operator',
  listAgents: 'viewer',
  getAgent: 'viewer',
  getDataPlane: 'viewer',
  listSources: 'viewer',
  getSource: 'viewer',
  postSourceEvents: 'operator',
  releaseSource: 'operator',
  removeAgent: 'operator',
  listClusters: 'viewer',
  streamEvents: 'viewer',
  listApiKeys: 'admin',
  getApiKey: 'admin',
  createApiKey: 'admin',
  rotateApiKey: 'admin',
  deleteApiKey: 'admin',
  listAudit: 'operator',
} as const satisfies Record<string, Role | 'anyone'>;

export type OperationId = keyof typeof operationRoles;

/** Name of the security scheme in the document. */
export const securityScheme = 'bearer';

export type Tag =
  | 'Topology'
  | 'Constraints'
  | 'Paths'
  | 'SR policies'
  | 'Meshes'
  | 'Agents'
  | 'Sources'
  | 'Events'
  | 'Access'
  | 'Operation';

/** The words of an operation, and who may use it. */
export function words(tag: Tag, operationId: OperationId, summary: string, description: string) {
  const role = operationRoles[operationId];
  const words = { tags: [tag], operationId, summary };
  return role === 'anyone'
    ? { ...words, description, security: [] }
    : { ...words, description: `${description}\n\nRole: ${role}.`, security: [{ [securityScheme]: [] }] };
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

const location = { type: 'string', description: 'Path of the resource.' };

/** What was created: with its ETag, and where it is. */
export function created<Schema extends TSchema>(schema: Schema, description: string) {
  const { headers, ...rest } = tagged(schema, description);
  return { ...rest, headers: { ...headers, Location: location } };
}

/** What was created and has no versions: where it is. */
export function createdUnversioned<Schema extends TSchema>(schema: Schema, description: string) {
  return { ...json(schema, description), headers: { Location: location } };
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
  readonly headers?: Readonly<Record<string, object>>;
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
  const entries = [...byStatus].map(([status, list]) => [status, problemResponse(status, list)] as const);
  return Object.fromEntries(entries) as { readonly [Status in StatusOf<Code>]: ProblemResponse };
}

function problemResponse(status: number, codes: readonly ProblemCode[]): ProblemResponse {
  const lines = codes.map((code) => `\`${code}\`: ${problemCatalogue[code].title.toLowerCase()}.`);
  const examples = Object.fromEntries(codes.map((code) => [code, { $ref: `#/components/examples/${code}` }]));
  return {
    description: lines.join(' '),
    ...(isRetried(status) && { headers: retryAfter }),
    content: { [problemMediaType]: { schema: ProblemDocument, examples } },
  };
}

/** Such answers say when to come back. */
function isRetried(status: number): boolean {
  return status === 503 || status === 429;
}

const seconds = { type: 'integer', minimum: 1 };
const retryAfter = { 'Retry-After': { ...seconds, description: 'When to try again, in seconds.' } };

/** An example of each problem, for the components of the document. */
export const problemExamples = Object.fromEntries(
  (Object.keys(problemCatalogue) as ProblemCode[]).map((code) => {
    const { status, title } = problemCatalogue[code];
    const info = {
      detail: 'what exactly is wrong, with the offending value',
      ...(isRetried(status) ? { retryAfterSeconds: 1 } : {}),
    };
    return [code, { summary: title, value: problemDocument(code, info, 'req-7') }];
  }),
);

/** Problems that every operation can have for whose requests it matters who makes them. */
export const readProblems = [
  'request-invalid',
  'unauthenticated',
  'forbidden',
  'too-many-requests',
  'service-unavailable',
  'overloaded',
  'took-too-long',
] as const satisfies ProblemCode[];

/** Problems that every operation with a body can have. */
export const bodyProblems = [
  ...readProblems,
  'outcome-unknown',
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
} satisfies Record<string, HeaderDocument>;
