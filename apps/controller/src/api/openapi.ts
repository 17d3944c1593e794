import type { SwaggerTransform } from '@fastify/swagger';
import { StreamReset, StreamedEvent } from '@waymark/http-contract';
import { problemExamples, securityScheme, type Example, type HeaderDocument, type Tag } from './operation.js';

/** What the document is about. */
const description = `
Waymark keeps the topology of an SRv6 network, computes segment lists that obey your constraints, and keeps the SR
policies of every headend equal to what it computed.

- **Errors** are RFC 9457 problem documents (\`application/problem+json\`); docs/errors.md lists every code. A path that
  does not exist is an answer (200, \`status: "no-path"\`), not an error.
- **Editing**: reading returns an ETag; changing and deleting need it in If-Match (428 without, 412 when it is outdated).
- **Creating** is safe to repeat, because keys are natural: the same intent again writes nothing and gets the same answer,
  another intent under the same key is refused with \`already-exists\`.
- **Lists** come in pages: \`limit\` and the opaque \`after\`.
- **Units** are in the names: \`delayUs\` microseconds, \`bandwidthBps\` bits per second, \`lossPpm\` parts per million.
- **Limits**: where clients are limited, \`RateLimit-Limit\`, \`RateLimit-Remaining\` and \`RateLimit-Reset\` tell what is left; 429 and 503 come with
  \`Retry-After\` (docs/load.md).
- **Access**: \`Authorization: Bearer\` with an API key or an OIDC token (docs/operating.md tells how to get the first one). Each operation names
  the role it needs: \`viewer\`, \`operator\` or \`admin\`. The demo on loopback asks for none.
`.trim();

const tags: readonly { readonly name: Tag; readonly description: string }[] = [
  {
    name: 'Topology',
    description: 'Nodes and links: what routers say, what was measured, what operators lay over it.',
  },
  { name: 'Constraints', description: 'What operators lay over links and nodes. No import ever touches it.' },
  { name: 'Paths', description: 'Path computations and proofs. Pure: they change nothing.' },
  { name: 'SR policies', description: 'SR policies (RFC 9256): intent, and what became of it.' },
  { name: 'Meshes', description: 'One SR policy for every ordered pair of hosts, from one template.' },
  { name: 'Agents', description: 'Node agents, one per headend.' },
  { name: 'Sources', description: 'Sources of topology and their events.' },
  { name: 'Events', description: 'What happens, as it happens.' },
  { name: 'Access', description: 'Who may use this API.' },
  { name: 'Operation', description: 'Health, readiness and metrics; who leads.' },
];

/** The fixed part of the document. */
export function openapiFrame(version: string) {
  return {
    openapi: '3.1.0',
    info: {
      title: 'Waymark',
      version,
      description,
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/', description: 'This controller.' }],
    tags: [...tags],
    components: {
      securitySchemes: {
        [securityScheme]: {
          type: 'http' as const,
          scheme: 'bearer',
          description: 'An API key, or a token (JWT) of the OIDC issuer that the controller trusts.',
        },
      },
    },
  };
}

/** Adds to a route's schema what only the document needs: headers that the code checks, and examples of bodies. */
export const addDocumentation: SwaggerTransform = ({ schema, url, route }) => {
  const { examples, headers } = route.config?.document ?? {};
  return {
    url,
    schema: {
      ...schema,
      ...(schema.querystring === undefined ? {} : { querystring: withoutExamples(schema.querystring as Parameters) }),
      ...(headers === undefined ? {} : { headers: headerSchema(headers) }),
      ...(examples === undefined ? {} : { body: withExamples(schema.body as Body, examples) }),
    },
  };
};

interface Parameters {
  readonly properties: Readonly<Record<string, Json>>;
}

// Swagger UI fills in the examples of parameters: all filters of a list at once would find nothing.
function withoutExamples(query: Parameters): Parameters {
  const entries = Object.entries(query.properties).map(([name, schema]) => [name, { ...schema, examples: undefined }]);
  return { ...query, properties: Object.fromEntries(entries) as Parameters['properties'] };
}

type Body = Json & { readonly content?: Readonly<Record<string, { readonly schema: Json }>> };
type Examples = Readonly<Record<string, Example>>;

function withExamples(body: Body, examples: Examples): Body {
  if (body.content === undefined) return { ...body, examples: undefined, 'x-examples': examples };
  const types = Object.entries(body.content).map(([type, { schema }]) => {
    return [type, { schema: { ...schema, examples: undefined, 'x-examples': examplesOf(type, examples) } }] as const;
  });
  return { content: Object.fromEntries(types) };
}

function examplesOf(type: string, examples: Examples): Examples {
  const fitting = Object.entries(examples).filter(([, { mediaType = type }]) => mediaType === type);
  return Object.fromEntries(fitting.map(([name, { summary, value }]) => [name, { summary, value }]));
}

function headerSchema(headers: Readonly<Record<string, HeaderDocument>>) {
  const entries = Object.entries(headers);
  return {
    type: 'object',
    required: entries.filter(([, header]) => header.required).map(([name]) => name),
    properties: Object.fromEntries(
      entries.map(([name, { description: text, example }]) => [
        name,
        {
          type: 'string',
          minLength: 1,
          maxLength: 1000,
          description: text,
          ...(example === undefined ? {} : { examples: [example] }),
        },
      ]),
    ),
  };
}

type Json = Readonly<Record<string, unknown>>;

/** Moves every schema that has a title into the components, and adds the examples of problems: each thing is said once. */
export function nameParts<Document extends object>(document: Document): Document {
  const { paths, components } = document as { paths?: unknown; components?: Json };
  const named = new Map<string, Json>();
  const newPaths = hoist(paths, named);
  for (const schema of [StreamedEvent, StreamReset]) hoist(schema, named);
  const schemas = Object.fromEntries([...named].toSorted(([a], [b]) => (a < b ? -1 : 1)));
  return { ...document, paths: newPaths, components: { ...components, schemas, examples: problemExamples } };
}

/** Values under these keywords are data, not schemas. */
const dataKeywords = new Set(['example', 'examples', 'default', 'enum', 'const']);

function hoist(value: unknown, named: Map<string, Json>): unknown {
  if (Array.isArray(value)) return value.map((item): unknown => hoist(item, named));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value as Json).map(([key, member]) => [
    key,
    dataKeywords.has(key) ? member : hoist(member, named),
  ]);
  const copy = Object.fromEntries(entries) as Json;
  const { title } = copy;
  if (typeof title !== 'string') return copy;
  const known = named.get(title);
  if (known !== undefined && fingerprint(known) !== fingerprint(copy)) {
    throw new Error(`two different schemas have the title ${title}`);
  }
  // the generator of the document takes the examples of a top-level body away: keep the copy that has them
  if (known?.['examples'] === undefined) named.set(title, copy);
  return { $ref: `#/components/schemas/${title}` };
}

function fingerprint(schema: Json): string {
  return JSON.stringify({ ...schema, examples: undefined });
}
