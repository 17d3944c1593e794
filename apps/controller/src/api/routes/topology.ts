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
  topologyFormat,
} from '@waymark/http-contract';
import { Problem } from '../../model/errors.js';
import type { Services, TopologyFormat } from '../../model/ports.js';
import { actorOf } from '../actor.js';
import { mediaTypeOf } from '../media-types.js';
import { actorHeader, bodyProblems, json, problems, readProblems, words } from '../operation.js';
import type { ApiApp } from '../type-provider.js';

const rawText = Type.String({
  description: 'The text of the file; `format` and `source` are query parameters.',
  minLength: 1,
  maxLength: maxTopologyCharacters,
});

/** The format that a media type implies when the query does not name one. */
const impliedFormat: Readonly<Record<string, TopologyFormat | undefined>> = {
  'application/yaml': 'native',
  'application/graphml+xml': 'graphml',
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
      config: { document: { headers: actorHeader } },
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
          format: Type.Optional(topologyFormat()),
          source: Type.Optional(sourceId('Names the file; only for bodies that are not JSON.')),
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
          ...problems(...bodyProblems),
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
          revision: Type.Optional(revision('Revision to export; the newest by default.')),
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
          ...problems(...readProblems, 'not-found'),
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

function rawImport(text: string, named: NamedImport, mediaType: string | undefined) {
  const format = named.format ?? impliedFormat[mediaType ?? ''];
  if (format === undefined)
    throw new Problem('request-invalid', { detail: 'the format of the text is missing', field: 'format' });
  if (named.source === undefined)
    throw new Problem('request-invalid', { detail: 'the source of the text is missing', field: 'source' });
  return { text, format, source: named.source };
}
