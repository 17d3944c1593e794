import { Type } from 'typebox';
import {
  ImportRequest,
  ImportResult,
  TopologyHead,
  choice,
  flag,
  maxTopologyCharacters,
  object,
  revision,
  sourceId,
} from '@waymark/http-contract';
import { Problem } from '../../model/errors.js';
import type { Services, TopologyFormat } from '../../model/ports.js';
import { actorOf } from '../actor.js';
import { mediaTypeOf } from '../media-types.js';
import { bodyProblems, json, problems, readProblems, words } from '../operation.js';
import type { ApiApp } from '../type-provider.js';

const rawText = Type.String({
  description: 'The text of the file; `format` and `source` are query parameters.',
  minLength: 1,
  maxLength: maxTopologyCharacters,
});

const twoRouters = `waymark: 1
nodes:
  - { id: lab-1, kind: router, name: Lab 1 }
  - { id: lab-2, kind: router, name: Lab 2 }
links:
  - { between: [ lab-1, lab-2 ], igpMetric: 10, delayUs: 500, bandwidthBps: 10000000000 }
`;

const twoRoutersGraphml = `<?xml version="1.0" encoding="utf-8"?>
<graphml xmlns="http://graphml.graphdrawing.org/xmlns">
  <key attr.name="label" attr.type="string" for="node" id="d0" />
  <key attr.name="Longitude" attr.type="double" for="node" id="d1" />
  <key attr.name="Latitude" attr.type="double" for="node" id="d2" />
  <graph edgedefault="undirected">
    <node id="0"><data key="d0">Lab 3</data><data key="d1">8.68</data><data key="d2">50.11</data></node>
    <node id="1"><data key="d0">Lab 4</data><data key="d1">4.89</data><data key="d2">52.37</data></node>
    <edge source="0" target="1" />
  </graph>
</graphml>
`;

const importExamples = {
  json: {
    summary: 'Two routers and a link, beside what is there',
    mediaType: 'application/json',
    value: { format: 'native', source: 'example', content: twoRouters },
  },
  yaml: { summary: 'Two routers and a link', mediaType: 'application/yaml', value: twoRouters },
  graphml: { summary: 'Two routers and a link', mediaType: 'application/graphml+xml', value: twoRoutersGraphml },
  text: { summary: 'Two routers and a link', mediaType: 'text/plain', value: twoRouters },
};

export function topologyRoutes(app: ApiApp, { topology }: Services): void {
  app.get(
    '/v1/topology',
    {
      schema: {
        ...words('Topology', 'getTopology', 'Where the topology stands', 'Revisions, and how much there is.'),
        response: { 200: json(TopologyHead, 'Revisions and counts.'), ...problems(...readProblems) },
      },
    },
    () => topology.head(),
  );

  app.post(
    '/v1/topology/imports',
    {
      bodyLimit: 4 * maxTopologyCharacters,
      config: { isLarge: true, document: { examples: importExamples } },
      schema: {
        ...words(
          'Topology',
          'importTopology',
          'Import a topology file',
          'Takes the file as JSON (format, source and text), or as it is with `format` and `source` as query parameters. ' +
            'Importing is idempotent: the same file under the same source changes nothing, a changed one changes only what ' +
            'differs, and what operators set stays. A bad file is refused whole.',
        ),
        querystring: object(undefined, 'Parameters of the import.', {
          dryRun: Type.Optional(flag('Say what would change, and change nothing.')),
          format: Type.Optional(
            choice(
              'Format of the file; by default what Content-Type says, or native. Only for bodies that are not JSON.',
              ['native', 'graphml', 'repetita'],
            ),
          ),
          source: Type.Optional(sourceId('Names the file; `upload` by default. Only for bodies that are not JSON.')),
        }),
        body: {
          content: {
            'application/json': { schema: ImportRequest },
            'application/yaml': { schema: rawText },
            'application/graphml+xml': { schema: rawText },
            'text/plain': { schema: rawText },
          },
        },
        response: {
          200: json(ImportResult, 'What changed.'),
          ...problems(...bodyProblems, 'topology-invalid', 'affinity-overflow', 'source-kind-mismatch', 'sid-conflict'),
        },
      },
    },
    async (request) => {
      const { dryRun, ...named } = request.query;
      const { body } = request;
      const input = typeof body === 'string' ? rawImport(body, named, mediaTypeOf(request)) : envelope(body, named);
      return topology.importTopology({
        ...input,
        actor: actorOf(request),
        ...(dryRun === undefined ? {} : { dryRun }),
      });
    },
  );

  app.get(
    '/v1/topology/export',
    {
      schema: {
        ...words(
          'Topology',
          'exportTopology',
          'Export the topology as a file',
          'In the native format, which can be imported again. Past revisions are rebuilt from the history.',
        ),
        querystring: object(undefined, 'Parameters of the export.', {
          syntax: Type.Optional(choice('Syntax of the file.', ['yaml', 'json'])),
          revision: Type.Optional(revision('Revision of the change log to export; the newest by default.')),
          operatorSettings: Type.Optional(flag('Include what operators laid over links and nodes.')),
        }),
        response: {
          200: {
            description: 'The file.',
            content: {
              'application/yaml': { schema: Type.String({ description: 'The file as YAML.' }) },
              'application/json': { schema: Type.Object({}, { description: 'The file as JSON.' }) },
            },
          },
          ...problems(...readProblems, 'not-found', 'revision-pruned'),
        },
      },
    },
    async (request, reply) => {
      const { syntax = 'yaml', ...which } = request.query;
      const text = await topology.exportTopology({ syntax, ...which });
      return reply.type(`application/${syntax}`).send(text);
    },
  );
}

interface NamedImport {
  readonly format?: TopologyFormat;
  readonly source?: string;
}

function envelope({ format, source, content }: ImportRequest, named: NamedImport) {
  for (const field of ['format', 'source'] as const) {
    if (named[field] === undefined) continue;
    throw new Problem('request-invalid', { detail: `a JSON body carries the ${field} itself`, field });
  }
  return { text: content, format, source };
}

function rawImport(text: string, { format, source = 'upload' }: NamedImport, mediaType: string | undefined) {
  return { text, source, format: format ?? (mediaType === 'application/graphml+xml' ? 'graphml' : 'native') };
}
