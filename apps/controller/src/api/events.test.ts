import { once } from 'node:events';
import { connect, type AddressInfo } from 'node:net';
import { queryObjects } from 'node:v8';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { EventType, WaymarkEvent } from '../model/events.js';
import { EventHub } from '../event-hub.js';
import { testApp } from '../testing/test-app.js';
import type { StreamLimits } from './event-stream.js';
import { EventLog, type LogEntry } from './event-log.js';
import type { ApiApp } from './type-provider.js';

function event(n: number, type: EventType = 'topology.changed'): WaymarkEvent {
  const data = { revision: n, tedRevision: n, kind: 'test', summary: `number ${String(n)}` };
  return { type, at: '2026-01-01T00:00:00.000Z', data };
}

describe('the event log', () => {
  const bus = new EventHub();
  const log = new EventLog(bus, { capacity: 4, stream: 's' });
  const ended = AbortSignal.abort();

  async function take(count: number, after?: string, types?: ReadonlySet<EventType>): Promise<LogEntry[]> {
    const entries: LogEntry[] = [];
    const stop = new AbortController();
    for await (const entry of log.follow(after, types, stop.signal)) {
      entries.push(entry);
      if (entries.length === count) stop.abort();
    }
    return entries;
  }

  it('gives what followed an event that it still has', async () => {
    for (const n of [1, 2, 3]) bus.emit(event(n));
    expect(await take(2, 's-1')).toEqual([
      { kind: 'event', id: 's-2', event: event(2) },
      { kind: 'event', id: 's-3', event: event(3) },
    ]);
  });

  it('says so when what followed is gone, and goes on from now', async () => {
    for (const n of [4, 5, 6]) bus.emit(event(n));
    const reset = { kind: 'reset', id: 's-6', reason: expect.any(String) as string };
    expect(await take(1, 's-1')).toEqual([reset]);
    expect(await take(1, 'other-1')).toEqual([reset]);
    expect(await take(1, 's-99')).toEqual([reset]);
    expect(await take(1, 'nonsense')).toEqual([reset]);
  });

  it('leaves out types that were not asked for', async () => {
    bus.emit(event(7, 'agent.state'));
    bus.emit(event(8));
    expect(await take(1, 's-6', new Set(['topology.changed']))).toMatchObject([{ id: 's-8' }]);
  });

  it('tells every reader of a gap, also one that has read everything, and goes on', async () => {
    bus.emit(event(9));
    bus.gap('this controller was cut off');
    bus.emit(event(10));
    const reset = { kind: 'reset', reason: 'this controller was cut off' };
    expect(await take(1, 's-9')).toMatchObject([reset]);
    const [first] = await take(1, 's-8');
    expect(first).toMatchObject(reset);
    bus.emit(event(11));
    expect(await take(1, first?.id)).toMatchObject([{ kind: 'event', event: event(11) }]);

    const stop = new AbortController();
    const reading = log.follow(undefined, undefined, stop.signal);
    const next = reading.next();
    bus.gap('again');
    expect((await next).value).toMatchObject({ kind: 'reset', reason: 'again' });
    stop.abort();
  });

  it('ends with its reader', async () => {
    for await (const entry of log.follow(undefined, undefined, ended)) expect(entry).toBeUndefined();
  });
});

async function listening(stream?: StreamLimits) {
  const bus = new EventHub();
  const { app } = await testApp({ events: bus }, stream === undefined ? {} : { stream });
  await app.listen({ port: 0, host: '127.0.0.1' });
  return { app, bus, url: `http://127.0.0.1:${String((app.server.address() as AddressInfo).port)}/v1/events` };
}

describe('GET /v1/events', () => {
  let app: ApiApp;
  let bus: EventHub;
  let url: string;

  beforeEach(async () => {
    ({ app, bus, url } = await listening());
  });
  afterEach(() => app.close());

  interface Message {
    readonly id: string;
    readonly event: string;
    readonly data: unknown;
  }

  /** Connects, then emits, then reads until there are `count` messages. */
  async function read(
    count: number,
    emit: () => void,
    query = '',
    headers: Record<string, string> = {},
  ): Promise<Message[]> {
    const stop = new AbortController();
    const response = await fetch(url + query, { headers, signal: stop.signal });
    expect(response.headers.get('content-type')).toBe('text/event-stream');
    emit();
    let text = '';
    const messages = (): Message[] =>
      [...text.matchAll(/id: (.*)\nevent: (.*)\ndata: (.*)\n\n/g)].map(([, id = '', name = '', data = '']) => ({
        id,
        event: name,
        data: JSON.parse(data) as unknown,
      }));
    for await (const part of response.body ?? []) {
      text += Buffer.from(part as Uint8Array).toString();
      if (messages().length >= count) break;
    }
    stop.abort();
    return messages();
  }

  it('sends events as they happen', async () => {
    const messages = await read(2, () => {
      bus.emit(event(1));
      bus.emit(event(2));
    });
    expect(messages.map(({ event: type, data }) => ({ type, data }))).toEqual([
      { type: 'topology.changed', data: event(1) },
      { type: 'topology.changed', data: event(2) },
    ]);
  });

  it('sends only the types asked for', async () => {
    const emit = () => {
      bus.emit(event(1, 'agent.state'));
      bus.emit(event(2));
    };
    expect(await read(1, emit, '?types=topology.changed,policy.state')).toMatchObject([{ event: 'topology.changed' }]);
  });

  it('sends what a client missed while it was away', async () => {
    const [first] = await read(1, () => bus.emit(event(1)));
    bus.emit(event(2));
    const missed = await read(1, () => undefined, '', { 'last-event-id': first?.id ?? '' });
    expect(missed).toMatchObject([{ event: 'topology.changed', data: { data: { revision: 2 } } }]);
  });

  it('tells a client of another run to read again', async () => {
    const messages = await read(1, () => undefined, '', { 'last-event-id': 'before-7' });
    expect(messages).toMatchObject([{ event: 'stream.reset', data: { reason: expect.any(String) as string } }]);
  });

  it('refuses unknown types and other media types', async () => {
    expect((await fetch(`${url}?types=topology.exploded`)).status).toBe(400);
    const response = await fetch(url, { headers: { accept: 'application/json' } });
    expect(response.status).toBe(406);
    expect(response.headers.get('content-type')).toMatch(/^application\/problem\+json/);
  });

  it('ends its streams when the application closes', async () => {
    const response = await fetch(url);
    await app.close();
    await expect(response.text()).resolves.toMatch(/^retry: /);
  });

  it('keeps an idle connection alive with comments', async () => {
    const quiet = await listening({ heartbeatMs: 5, stalledAfterMs: 30_000 });
    const response = await fetch(quiet.url);
    let text = '';
    for await (const part of response.body ?? []) {
      text += Buffer.from(part as Uint8Array).toString();
      if (text.includes(': heartbeat\n\n')) break;
    }
    expect(text).toMatch(/^retry: 2000\n\n/);
    await quiet.app.close();
  });

  it('disconnects a client that takes nothing', async () => {
    const busy = await listening({ heartbeatMs: 15_000, stalledAfterMs: 50 });
    const socket = connect(Number(new URL(busy.url).port), '127.0.0.1');
    socket.on('error', () => undefined).pause();
    socket.write('GET /v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n');
    const connections = () =>
      new Promise<number>((resolve) => busy.app.server.getConnections((_, count) => resolve(count)));
    await expect.poll(connections).toBe(1);
    const large = { revision: 1, tedRevision: 1, kind: 'test', summary: 'x'.repeat(1_000_000) };
    // more than the buffers of two kernels hold
    const stop = setInterval(() => busy.bus.emit({ ...event(1), data: large }), 5);
    await expect.poll(connections, { timeout: 20_000 }).toBe(0);
    clearInterval(stop);
    socket.destroy();
    await busy.app.close();
  });

  it('holds on to nothing of what it has sent, however long a stream lasts', async () => {
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    let text = '';
    socket.setEncoding('utf8').on('data', (part: string) => {
      text += part;
    });
    const got = async (what: string) => {
      while (!text.includes(what)) await once(socket, 'data');
    };
    socket.write('GET /v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await got('retry: 2000');
    const emit = async (n: number) => {
      bus.emit(event(n));
      await got(`number ${n}"`);
    };
    await emit(0);
    const before = queryObjects(Promise, { format: 'count' });
    for (let n = 1; n <= 100; n++) await emit(n);
    // each event made several
    expect(queryObjects(Promise, { format: 'count' }) - before).toBeLessThan(100);
    socket.destroy();
  });

  it('forgets clients that left', async () => {
    const stop = new AbortController();
    await fetch(url, { signal: stop.signal });
    stop.abort();
    const connections = () => new Promise<number>((resolve) => app.server.getConnections((_, count) => resolve(count)));
    await expect.poll(connections, { timeout: 10_000 }).toBe(0);
  });
});
