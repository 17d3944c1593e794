/**
 * The one catalogue of problems (RFC 9457) that an operator can meet. docs/errors.md lists exactly these; a test holds
 * the two together. `remedy` says what to do; the detail of an occurrence names the field and the value.
 */
export const problemCatalogue = {
  'request-invalid': { status: 400, title: 'The request does not fit its schema', remedy: 'Correct the named field.' },
  unauthenticated: {
    status: 401,
    title: 'The request does not say who makes it, or it is not believed',
    remedy: 'Send a valid API key or token as Authorization: Bearer; docs/operating.md tells how to get one.',
  },
  forbidden: {
    status: 403,
    title: 'This is not for whoever makes the request',
    remedy: 'Use a key or token whose role and operations include this one.',
  },
  'not-found': { status: 404, title: 'There is no such resource', remedy: 'List the collection to see what exists.' },
  'already-exists': {
    status: 409,
    title: 'A resource with this key exists',
    remedy: 'Change it instead, or choose another key.',
  },
  'precondition-failed': {
    status: 412,
    title: 'The resource has changed since it was read',
    remedy: 'Read it again and repeat the change with its new ETag.',
  },
  'precondition-required': {
    status: 428,
    title: 'This change needs an If-Match header',
    remedy: 'Send the ETag that reading the resource returned.',
  },
  'node-unknown': {
    status: 422,
    title: 'A named node is not in the topology',
    remedy: 'Use an id from GET /v1/nodes.',
  },
  'link-unknown': {
    status: 422,
    title: 'A named link is not in the topology',
    remedy: 'Use an id from GET /v1/links.',
  },
  'body-malformed': {
    status: 400,
    title: 'The body cannot be parsed',
    remedy: 'Send one complete document in the media type that Content-Type names.',
  },
  'route-unknown': {
    status: 404,
    title: 'There is no such path',
    remedy: 'See Swagger UI at /docs for all operations.',
  },
  'method-not-allowed': {
    status: 405,
    title: 'The path does not know this method',
    remedy: 'Use one of the methods that the Allow header lists.',
  },
  'not-acceptable': {
    status: 406,
    title: 'The response cannot have the media type asked for',
    remedy: 'Accept the media type that the operation documents.',
  },
  'body-too-large': {
    status: 413,
    title: 'The body is larger than this operation takes',
    remedy: 'Divide the request into smaller ones.',
  },
  'media-type-unsupported': {
    status: 415,
    title: 'The operation does not take this media type',
    remedy: 'Set Content-Type to one that the operation documents.',
  },
  'too-many-requests': {
    status: 429,
    title: 'This client makes too many requests',
    remedy: 'Try again after the time that Retry-After names; the RateLimit headers tell what is left.',
  },
  'internal-error': {
    status: 500,
    title: 'A fault in Waymark',
    remedy: 'Report it with the request id; the log of the controller has the details.',
  },
  'not-ready': {
    status: 503,
    title: 'The controller is not ready',
    remedy: 'Try again after the time that Retry-After names.',
  },
  'service-unavailable': {
    status: 503,
    title: 'Something that the controller needs is not available',
    remedy: 'Try again after the time that Retry-After names.',
  },
  'outcome-unknown': {
    status: 503,
    title: 'Whether the change was made is not known',
    remedy: 'Repeat the request after the time that Retry-After names: if the change was made, that is harmless.',
  },
  overloaded: {
    status: 503,
    title: 'More is asked for than this controller can do at a time',
    remedy: 'Try again after the time that Retry-After names, with fewer requests at a time.',
  },
  'took-too-long': {
    status: 503,
    title: 'The controller could not end the operation in time',
    remedy:
      'Read what it was to change, which may have happened, before you try again after the time that Retry-After names.',
  },
  'topology-invalid': {
    status: 422,
    title: 'The topology file was refused whole',
    remedy: 'Correct what is named and import again; nothing was changed.',
  },
  'affinity-overflow': {
    status: 422,
    title: 'There are no numbers left for new affinities',
    remedy: 'Use one of the 256 affinity names that exist (extended admin groups have 256 bits).',
  },
  'revision-pruned': {
    status: 410,
    title: 'This revision is older than what is kept',
    remedy: 'Ask for a newer revision; GET /v1/topology/changes lists those that are kept.',
  },
  'source-kind-mismatch': {
    status: 409,
    title: 'A source of another kind has this id',
    remedy: 'Choose another source id: files, event streams and agents never share one.',
  },
  'source-sequence-gap': {
    status: 409,
    title: 'A batch of this source is missing',
    remedy: 'Send the batch with the expected sequence; after a restart, a full batch with that sequence.',
  },
  'source-held': {
    status: 409,
    title: 'This source is held because it collapsed',
    remedy: 'Release it, or send a full batch with the same sequence once the source is whole again.',
  },
  'source-not-held': {
    status: 409,
    title: 'This source is not held',
    remedy: 'Read the source; someone may have released it already.',
  },
  'agent-connected': {
    status: 409,
    title: 'The agent is connected',
    remedy: 'Stop it, and try again once it has been silent for six seconds; one that runs is not gone for good.',
  },
  'sid-conflict': {
    status: 409,
    title: 'Another node owns this SID',
    remedy: 'Withdraw it from the other node first, or correct the SID.',
  },
  'prefix-claimed': {
    status: 409,
    title: 'A steered prefix belongs to another policy of the headend',
    remedy: 'Take the prefix out of the policy that holds it, or out of this one.',
  },
  'owned-elsewhere': {
    status: 409,
    title: 'This belongs to an object of a Kubernetes cluster',
    remedy: 'Change that object; or delete it, and what it asks for is withdrawn.',
  },
  'mesh-owned': {
    status: 409,
    title: 'The policy belongs to a mesh',
    remedy: "Change the mesh's template, or override this pair in the mesh.",
  },
  'no-lists-to-pin': {
    status: 409,
    title: 'The policy has no segment lists that could be pinned',
    remedy: 'Wait until a candidate path is valid, or choose the fallback shortest-path.',
  },
  'no-lists-to-return-to': {
    status: 409,
    title: 'The policy has no previous segment lists that would deliver now',
    remedy: 'Write the wanted lists as an explicit candidate path.',
  },
  'policy-unknown': {
    status: 422,
    title: 'A named policy does not exist',
    remedy: 'Use an id from GET /v1/sr-policies.',
  },
  'mesh-unknown': {
    status: 422,
    title: 'A named mesh does not exist',
    remedy: 'Use an id from GET /v1/meshes.',
  },
} as const satisfies Record<string, ProblemKind>;

export interface ProblemKind {
  readonly status: number;
  readonly title: string;
  readonly remedy: string;
}

export type ProblemCode = keyof typeof problemCatalogue;

export interface ProblemDetail {
  /** What is wrong here, with the offending value. */
  readonly detail: string;
  /** JSON pointer into the body, or the name of a parameter or header. */
  readonly field?: string;
  /** More than one thing wrong: each with its field. */
  readonly errors?: readonly { readonly field: string; readonly detail: string }[];
  readonly retryAfterSeconds?: number;
}

/** Thrown by services and API alike; the API turns it into a problem document. */
export class Problem extends Error {
  override readonly name = 'Problem';
  readonly code: ProblemCode;
  readonly info: ProblemDetail;

  constructor(code: ProblemCode, info: ProblemDetail) {
    super(`${problemCatalogue[code].title}: ${info.detail}`);
    this.code = code;
    this.info = info;
  }
}
