import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { JobChange, JobView } from '../model/jobs.js';
import type { PathBatchService } from '../model/ports.js';
import { notFound } from '../testing/fixed-services.js';
import { testApp } from '../testing/test-app.js';
import type { ApiApp } from './type-provider.js';

const view: JobView = {
  id: 'evening',
  controller: 'c1',
  status: 'running',
  revision: 7,
  progress: { done: 1, total: 3 },
  available: 1,
  counts: { computed: 1 },
  createdAt: '2026-01-31T12:00:00.000Z',
  startedAt: '2026-01-31T12:00:00.000Z',
  finishedAt: null,
  failure: null,
};
const done: JobView = { ...view, status: 'done', progress: { done: 3, total: 3 } };

let app: ApiApp | undefined;
afterEach(() => app?.close());

async function follow(pathBatches: Partial<PathBatchService>, headers: Record<string, string> = {}) {
  ({ app } = await testApp({ pathBatches }));
  await app.listen({ port: 0, host: '127.0.0.1' });
  const { port } = app.server.address() as AddressInfo;
  return fetch(`http://127.0.0.1:${String(port)}/v1/path-computation-batches/evening/events`, { headers });
}

async function* changes(...all: readonly JobChange[]): AsyncGenerator<JobChange> {
  for (const change of all) yield await Promise.resolve(change);
}

describe('following a batch', () => {
  it('sends its progress, and ends with it', async () => {
    const told = changes({ kind: 'view', job: view }, { kind: 'view', job: done });
    const response = await follow({ follow: () => told });
    expect(response.headers.get('content-type')).toBe('text/event-stream');
    const messages = [...(await response.text()).matchAll(/event: (.*)\ndata: (.*)\n\n/g)];
    expect(messages.map(([, event, data = '']) => [event, JSON.parse(data) as unknown])).toEqual([
      ['progress', view],
      ['progress', done],
    ]);
  });

  it('says so when it is deleted', async () => {
    const response = await follow({ follow: () => changes({ kind: 'deleted' }) });
    expect(await response.text()).toContain('event: deleted\ndata: {}\n\n');
  });

  it('is refused as problems are, when there is none or the client wants something else', async () => {
    const missing = await follow({
      follow: () => {
        throw notFound('path computation batch "evening"');
      },
    });
    expect(missing.status).toBe(404);
    expect(missing.headers.get('content-type')).toContain('application/problem+json');
    await app?.close();
    const html = await follow({ follow: () => changes() }, { accept: 'text/html' });
    expect(html.status).toBe(406);
  });

  it('stops waiting for a batch when the client is gone', async () => {
    let left: () => void = () => undefined;
    const leaving = new Promise<void>((resolve) => (left = resolve));
    const response = await follow({
      follow: async function* (_, signal) {
        yield { kind: 'view', job: view };
        if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve));
        left();
      },
    });
    await response.body?.cancel();
    await leaving;
  });
});
