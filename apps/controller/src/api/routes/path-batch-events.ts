import { setTimeout as sleep } from 'node:timers/promises';
import { Type } from 'typebox';
import { jobId, object } from '@waymark/http-contract';
import type { JobChange } from '../../model/jobs.js';
import type { Services } from '../../model/ports.js';
import type { EventStreams, StreamMessage } from '../event-stream.js';
import { problems, readProblems, words } from '../operation.js';
import type { ApiApp } from '../type-provider.js';

/** A batch may keep answers hundreds of times a second: so long nothing is said after something was. */
const PAUSE_MS = 250;

const description = [
  'Server-sent events. `progress`: the batch as GET of it shows it, one line of JSON (schema `PathBatchView`); at once, and',
  'whenever it has moved on, at most four times a second. The last one has the status `done` or `failed`, and with it the stream',
  'ends. `deleted`: somebody deleted the batch, or it was forgotten; the stream ends. A browser then connects again by itself:',
  'close it. There is nothing to go on from after a break, because each event tells all.\n\n',
  'Swagger UI cannot show an answer that takes its time: use `curl -N`.',
].join(' ');

const exampleStream = [
  'retry: 2000\n\n',
  'event: progress\ndata: {"id":"evening","status":"running","progress":{"done":800,"total":2256}}\n\n',
  'event: deleted\ndata: {}\n\n',
].join('');

export function pathBatchEventRoutes(app: ApiApp, { pathBatches }: Services, streams: EventStreams): void {
  app.get(
    '/v1/path-computation-batches/:id/events',
    {
      exposeHeadRoute: false,
      sse: 'manual',
      config: { isStream: true },
      schema: {
        ...words('Paths', 'followPathBatch', 'Follow a batch', description),
        params: object(undefined, 'Which batch.', { id: jobId('Id of the batch.', 'evening') }),
        response: {
          200: {
            description: 'The stream; it ends with the batch.',
            content: {
              'text/event-stream': { schema: Type.String({ description: 'Messages.', examples: [exampleStream] }) },
            },
          },
          ...problems(...readProblems, 'not-found', 'not-acceptable'),
        },
      },
    },
    (request, reply) => {
      const gone = new AbortController();
      const changes = pathBatches.follow(request.params.id, gone.signal);
      return streams.send(request, reply, (signal) => {
        signal.addEventListener('abort', () => gone.abort());
        return messagesOf(changes, signal);
      });
    },
  );
}

async function* messagesOf(changes: AsyncIterable<JobChange>, signal: AbortSignal): AsyncGenerator<StreamMessage> {
  for await (const change of changes) {
    yield change.kind === 'deleted' ? { event: 'deleted', data: {} } : { event: 'progress', data: change.job };
    await sleep(PAUSE_MS, undefined, { signal }).catch(() => undefined);
  }
}
