import { once } from 'node:events';
import { Type } from 'typebox';
import { eventSchemas, object, token } from '@waymark/http-contract';
import { Problem } from '../../model/errors.js';
import type { EventType } from '../../model/events.js';
import type { EventLog, LogEntry } from '../event-log.js';
import { problems, readProblems, words } from '../operation.js';
import type { ApiApp } from '../type-provider.js';

const eventTypes = Object.keys(eventSchemas) as EventType[];
const oneType = `(${eventTypes.map((type) => type.replaceAll('.', '\\.')).join('|')})`;
const reconnectAfterMs = 2000;

const description = [
  'Server-sent events, as they happen. The `event` field is the type, `data` is `{type, at, data}`. Comments keep an idle',
  'connection alive. Every controller tells the events of all. A client that reconnects to the same controller with',
  'Last-Event-ID gets what it missed; when that is no longer known, or something may be missing, it gets a `stream.reset`',
  'and should read again what it shows.\n\n| Type | Data | |\n|---|---|---|\n',
].join(' ');

const table = Object.entries(eventSchemas)
  .map(([type, schema]) => {
    const { title, description: text } = schema as { readonly title?: string; readonly description?: string };
    return `| \`${type}\` | \`${title ?? ''}\` | ${text ?? ''} |`;
  })
  .join('\n');

export function eventRoutes(app: ApiApp, log: EventLog): void {
  const closing = new AbortController();
  app.addHook('preClose', (done) => {
    closing.abort();
    done();
  });

  app.get(
    '/v1/events',
    {
      exposeHeadRoute: false,
      sse: 'manual',
      config: {
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
            content: { 'text/event-stream': { schema: { type: 'string' } } },
          },
          ...problems(...readProblems, 'not-acceptable'),
        },
      },
    },
    async (request, reply) => {
      if (!acceptsEvents(request.headers.accept)) {
        throw new Problem('not-acceptable', {
          detail: 'this operation answers with text/event-stream',
          field: 'Accept',
        });
      }
      const types = request.query.types?.split(',') as EventType[] | undefined;
      const gone = new AbortController();
      reply.sse.onClose(() => gone.abort());
      const signal = AbortSignal.any([gone.signal, closing.signal]);
      const aborted = once(signal, 'abort');
      const after = reply.sse.lastEventId ?? undefined;
      const entries = log.follow(after, types === undefined ? undefined : new Set(types), signal);
      // sends the headers, so that a client knows at once that it is connected
      await reply.sse.send({ data: undefined, retry: reconnectAfterMs });
      for await (const entry of entries) {
        // a client that is gone never drains: do not wait for it
        await Promise.race([reply.sse.send(messageOf(entry)).catch(() => gone.abort()), aborted]);
      }
      reply.sse.close();
    },
  );
}

function messageOf(entry: LogEntry) {
  return entry.kind === 'event'
    ? { id: entry.id, event: entry.event.type, data: entry.event }
    : { id: entry.id, event: 'stream.reset', data: { reason: entry.reason } };
}

function acceptsEvents(accept: string | undefined): boolean {
  if (accept === undefined) return true;
  const ranges = accept.split(',').map((range) => range.split(';')[0]?.trim().toLowerCase());
  return ranges.some((range) => range === 'text/event-stream' || range === 'text/*' || range === '*/*');
}
