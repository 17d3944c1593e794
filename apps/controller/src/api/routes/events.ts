import { Type } from 'typebox';
import { eventSchemas, object, token } from '@waymark/http-contract';
import type { EventType } from '../../model/events.js';
import type { EventLog, LogEntry } from '../event-log.js';
import type { EventStreams, StreamMessage } from '../event-stream.js';
import { problems, readProblems, words } from '../operation.js';
import type { ApiApp } from '../type-provider.js';

const eventTypes = Object.keys(eventSchemas) as EventType[];
const oneType = `(${eventTypes.map((type) => type.replaceAll('.', '\\.')).join('|')})`;

const description = [
  'Server-sent events, as they happen; the stream never ends by itself. `event` is the type, `data` one line of JSON (schema',
  '`StreamedEvent`), `id` what to send as Last-Event-ID after a break, as browsers do by themselves: the stream goes on where',
  'it broke off. When that is no longer known (the newest 4096 events are kept, and only as long as the controller runs), or',
  'something may be missing, a `stream.reset` says so: read again what you show. Every controller tells the events of all;',
  'return to the same one to go on where the stream broke off. A comment every 15 seconds keeps an idle connection alive. A client that',
  'takes nothing for 30 seconds while events wait for it is disconnected, and may return with Last-Event-ID.\n\n',
  'Swagger UI cannot show an answer that does not end: use `curl -N`.\n\n| Type | Data | |\n|---|---|---|\n',
].join(' ');

const exampleStream = [
  'retry: 2000\n\n',
  ...Object.entries(eventSchemas)
    .slice(0, 2)
    .map(([type, schema], i) => {
      const [data] = (schema as unknown as { readonly examples: readonly unknown[] }).examples;
      const line = JSON.stringify({ type, at: `2026-01-31T12:00:0${String(i)}.000Z`, data });
      return `id: 3f2a9c11-${String(i + 41)}\nevent: ${type}\ndata: ${line}\n\n`;
    }),
  ': heartbeat\n\n',
].join('');

const table = Object.entries(eventSchemas)
  .map(([type, schema]) => {
    const { title, description: text } = schema as { readonly title?: string; readonly description?: string };
    return `| \`${type}\` | \`${title ?? ''}\` | ${text ?? ''} |`;
  })
  .join('\n');

export function eventRoutes(app: ApiApp, log: EventLog, streams: EventStreams): void {
  app.get(
    '/v1/events',
    {
      exposeHeadRoute: false,
      sse: 'manual',
      config: {
        isStream: true,
        document: {
          headers: {
            'Last-Event-ID': {
              description: 'Id of the last event that was received.',
              required: false,
            },
          },
        },
      },
      schema: {
        ...words('Events', 'streamEvents', 'Follow what happens', description + table),
        querystring: object(undefined, 'Filter.', {
          types: Type.Optional(
            token('Only these types, separated by commas.', `^${oneType}(,${oneType})*$`, 1000, [
              'topology.changed,policy.state',
            ]),
          ),
        }),
        response: {
          200: {
            description: 'The stream; it does not end.',
            content: {
              'text/event-stream': { schema: Type.String({ description: 'Messages.', examples: [exampleStream] }) },
            },
          },
          ...problems(...readProblems, 'not-acceptable'),
        },
      },
    },
    (request, reply) => {
      const types = request.query.types?.split(',') as EventType[] | undefined;
      return streams.send(request, reply, (signal) => {
        const after = reply.sse.lastEventId ?? undefined;
        return messagesOf(log.follow(after, types && new Set(types), signal));
      });
    },
  );
}

async function* messagesOf(entries: AsyncIterable<LogEntry>): AsyncGenerator<StreamMessage> {
  for await (const entry of entries) yield messageOf(entry);
}

function messageOf(entry: LogEntry): StreamMessage {
  return entry.kind === 'event'
    ? { id: entry.id, event: entry.event.type, data: entry.event }
    : { id: entry.id, event: 'stream.reset', data: { reason: entry.reason } };
}
