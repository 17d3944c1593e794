import { once } from 'node:events';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { eventually } from '../testing/eventually.js';
import { openAccess, type StatedServices } from '../testing/fixed-services.js';
import { testApp } from '../testing/test-app.js';
import type { ApiLimits } from './limits.js';
import type { ApiApp } from './type-provider.js';

const patience = 60_000;

let opened: ApiApp | undefined;
const sockets: Socket[] = [];
afterEach(async () => {
  vi.restoreAllMocks();
  for (const socket of sockets.splice(0)) socket.destroy();
  await opened?.close();
});

async function listen(stated: StatedServices, limits: Partial<ApiLimits> = {}): Promise<string> {
  const { app } = await testApp(stated, { limits: { closingMs: 1_000, ...limits } });
  opened = app;
  return app.listen({ host: '127.0.0.1', port: 0 });
}

/** A connection on which nothing is sent but what the test says. */
async function raw(): Promise<Socket> {
  const { port } = opened?.server.address() as AddressInfo;
  const socket = connect(port, '127.0.0.1');
  sockets.push(socket);
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

async function metric(url: string, name: string): Promise<number> {
  const body = await (await fetch(`${url}/metrics`)).text();
  const line = body.split('\n').find((one) => one.startsWith(`${name} `));
  return Number(line?.slice(name.length + 1));
}

/** So /metrics reads no other service. */
const notReady = () => Promise.resolve({ live: true, ready: false, checks: {} });

/** The services that /metrics reads, and a list of nodes that never comes, until it is let go. */
function hanging() {
  const signals: AbortSignal[] = [];
  let asked = 0;
  let letGo = (): void => undefined;
  const free = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  const stated: StatedServices = {
    health: notReady,
    topology: {
      nodes: () => {
        asked += 1;
        return free.then(() => ({ items: [], next: null }));
      },
    },
    paths: {
      compute: (_request, _revision, _overlay, signal) => {
        if (signal !== undefined) signals.push(signal);
        return new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason as Error)));
      },
    },
  };
  return { stated, signals, asked: () => asked, letGo: () => letGo() };
}

const aPath = {
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ source: 'a', destination: 'b', metric: 'igp', constraints: {} }),
};

describe('more requests than are answered at a time', () => {
  it('are told to come back, while probes get their answer', async () => {
    const { stated, asked, letGo } = hanging();
    const url = await listen(stated, { requests: 3 });
    const held = [1, 2, 3].map(() => fetch(`${url}/v1/nodes`));
    await eventually(() => expect(asked()).toBe(3), patience);
    const refused = await fetch(`${url}/v1/nodes`);
    expect(refused.status).toBe(503);
    expect(refused.headers.get('retry-after')).toBe('1');
    expect(await refused.json()).toMatchObject({ code: 'overloaded' });
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    letGo();
    for (const one of await Promise.all(held)) expect(one.status).toBe(200);
    expect((await fetch(`${url}/v1/nodes`)).status).toBe(200);
  });

  it('leave their places when their clients go and what was begun for them has ended', async () => {
    const { stated, signals } = hanging();
    const url = await listen(stated, { requests: 2 });
    for (let round = 1; round <= 3; round++) {
      const gone = new AbortController();
      const ask = () => fetch(`${url}/v1/path-computations`, { ...aPath, signal: gone.signal }).catch(() => undefined);
      const held = [ask(), ask()];
      await eventually(() => expect(signals.length).toBe(2 * round), patience);
      expect(await (await fetch(`${url}/metrics`)).json()).toMatchObject({ code: 'overloaded' });
      gone.abort();
      await Promise.all(held);
      await eventually(async () => expect(await metric(url, 'waymark_http_requests_under_way')).toBe(1), patience);
    }
    expect(await metric(url, 'waymark_http_refused_total{what="request"}')).toBeGreaterThanOrEqual(3);
  });

  it('keep their places while what was begun for them goes on, so that nobody has more under way who asks and goes', async () => {
    const { stated, asked, letGo } = hanging();
    const url = await listen(stated, { requests: 3 });
    let answered = 0;
    const askAndGo = async () => {
      const gone = new AbortController();
      const before = asked();
      const answer = fetch(`${url}/v1/nodes`, { signal: gone.signal }).then(
        () => (answered += 1),
        () => undefined,
      );
      await eventually(() => expect(asked() + answered).toBeGreaterThan(before), patience);
      gone.abort();
      await answer;
    };
    for (let n = 0; n < 3; n++) await askAndGo();
    expect([asked(), answered]).toEqual([3, 0]);
    for (let n = 0; n < 10; n++) {
      expect(await (await fetch(`${url}/v1/nodes`)).json()).toMatchObject({ code: 'overloaded' });
    }
    expect(asked()).toBe(3);
    letGo();
    await eventually(async () => expect((await fetch(`${url}/v1/nodes`)).status).toBe(200), patience);
  });

  it('have nothing begun for them when their clients have gone before', async () => {
    const { stated, asked, letGo } = hanging();
    let letIn = (): void => undefined;
    const admitted = new Promise<void>((resolve) => {
      letIn = resolve;
    });
    const identify = vi.fn(async (token: string | undefined) => {
      if (identify.mock.calls.length === 1) await admitted;
      return openAccess.identify(token);
    });
    const url = await listen({ ...stated, access: { ...openAccess, identify } });
    const socket = await raw();
    socket.write('GET /v1/nodes HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n');
    await eventually(() => expect(identify).toHaveBeenCalled(), patience);
    socket.resetAndDestroy();
    await eventually(async () => expect(await metric(url, 'waymark_http_requests_under_way')).toBe(1), patience);
    letIn();
    letGo();
    expect((await fetch(`${url}/v1/nodes`)).status).toBe(200);
    // for the second one
    expect(asked()).toBe(1);
  });

  it('leave their places when many are sent at once on a connection that then ends', async () => {
    const warned = vi.spyOn(process, 'emitWarning');
    const { stated, asked, letGo } = hanging();
    const url = await listen(stated, { requests: 22 });
    const socket = await raw();
    const some = 'GET /v1/nodes HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n'.repeat(10);
    // The second half is answered at once, behind the first.
    socket.write(some + some.replaceAll('nodes', 'nonsense'));
    await eventually(() => expect(asked()).toBe(10), patience);
    expect(await metric(url, 'waymark_http_requests_under_way')).toBe(21);
    socket.resetAndDestroy();
    // those that were answered
    await eventually(async () => expect(await metric(url, 'waymark_http_requests_under_way')).toBe(11), patience);
    letGo();
    await eventually(async () => expect(await metric(url, 'waymark_http_requests_under_way')).toBe(1), patience);
    expect(warned.mock.calls.map(String).filter((warning) => warning.includes('MaxListeners'))).toEqual([]);
  });

  it('include those whose clients do not read, until these are disconnected', async () => {
    const long = 'x'.repeat(1_000_000);
    const items = Array.from({ length: 50 }, () => ({ id: long }) as never);
    const stated: StatedServices = {
      health: notReady,
      topology: { nodes: () => Promise.resolve({ items, next: null }) },
    };
    const url = await listen(stated, { requests: 2, stalledMs: 1_000 });
    const socket = await raw();
    const closed = once(socket, 'close');
    socket.pause();
    socket.write('GET /v1/nodes HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n');
    // this one, and that which asks
    await eventually(async () => expect(await metric(url, 'waymark_http_requests_under_way')).toBe(2), patience);
    await eventually(async () => expect(await metric(url, 'waymark_http_requests_under_way')).toBe(1), patience);
    socket.resume();
    await closed;
  });
});

describe('a computation', () => {
  it('is given up when its client goes', async () => {
    const { stated, signals } = hanging();
    const url = await listen(stated);
    const gone = new AbortController();
    const asked = fetch(`${url}/v1/path-computations`, { ...aPath, signal: gone.signal });
    await eventually(() => expect(signals.length).toBe(1), patience);
    expect(signals[0]?.aborted).toBe(false);
    gone.abort();
    await expect(asked).rejects.toThrow();
    await eventually(() => expect(signals[0]?.aborted).toBe(true), patience);
  });

  it('is given up when it takes too long, and its client is told', async () => {
    const { stated, signals } = hanging();
    const url = await listen(stated, { workMs: 100 });
    const answer = await fetch(`${url}/v1/path-computations`, aPath);
    expect(answer.status).toBe(503);
    expect(answer.headers.get('retry-after')).toBe('10');
    expect(await answer.json()).toMatchObject({ code: 'took-too-long' });
    expect(signals[0]?.aborted).toBe(true);
  });
});

describe('a client that sends too slowly', () => {
  it('is answered 408 when its headers do not end', async () => {
    await listen({}, { headersMs: 300, requestMs: 600, lookingEveryMs: 100 });
    const socket = await raw();
    socket.write('GET /v1/nodes HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ');
    const drip = setInterval(() => socket.write('x'), 50);
    const answer = await text(socket);
    clearInterval(drip);
    expect(answer).toMatch(/^HTTP\/1\.1 408 /);
  });

  it('is answered 408 when its body does not end', async () => {
    await listen({}, { headersMs: 300, requestMs: 600, lookingEveryMs: 100 });
    const socket = await raw();
    socket.write(
      'POST /v1/path-computations HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{',
    );
    const drip = setInterval(() => socket.write(' '), 50);
    const answer = await text(socket);
    clearInterval(drip);
    expect(answer).toMatch(/^HTTP\/1\.1 408 /);
  });
});

describe('connections', () => {
  it('beyond the limit are closed at once, and the others go on', async () => {
    const url = await listen({}, { connections: 3 });
    const held = [await raw(), await raw(), await raw()];
    const extra = await raw();
    if (!extra.closed) await once(extra, 'close');
    expect(held.map(({ closed }) => closed)).toEqual([false, false, false]);
    held[0]?.destroy();
    await eventually(async () => expect((await fetch(`${url}/healthz`)).status).toBe(200), patience);
  });

  it('of one address are not all that there are', async () => {
    const url = await listen({}, { connections: 3, connectionsPerAddress: 2 });
    const held = [await raw(), await raw()];
    const extra = await raw();
    if (!extra.closed) await once(extra, 'close');
    expect(held.map(({ closed }) => closed)).toEqual([false, false]);
    const elsewhere = connect({ port: Number(new URL(url).port), host: '127.0.0.1', localAddress: '127.0.0.2' });
    sockets.push(elsewhere);
    await once(elsewhere, 'connect');
    elsewhere.write('GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    expect(await text(elsewhere)).toMatch(/^HTTP\/1\.1 200 /);
    held[0]?.destroy();
    await eventually(async () => expect((await fetch(`${url}/healthz`)).status).toBe(200), patience);
  });

  it('on which no request came in time are closed, though their clients neither read nor close', async () => {
    const url = await listen({}, { connections: 2, headersMs: 200, lookingEveryMs: 50, lingerMs: 100 });
    // one says nothing, the other begins a request; neither takes note of the answer
    const [, half] = [await raw(), await raw()];
    half.write('GET /v1/nodes HTTP/1.1\r\nHost: ');
    await eventually(async () => expect((await fetch(`${url}/healthz`)).status).toBe(200), patience);
  });
});

describe('the end of the controller', () => {
  it('does not wait for connections on which no request comes', async () => {
    await listen({}, { closingMs: 200 });
    const silent = await raw();
    const half = await raw();
    half.write('GET /v1/nodes HTTP/1.1\r\nHost: ');
    const closed = [silent, half].map((socket) => once(socket, 'close'));
    await opened?.close();
    await Promise.all(closed);
  });
});

describe('streams of events', () => {
  const follow = (url: string) => fetch(`${url}/v1/events`, { signal: AbortSignal.timeout(patience) });

  it('of one client are limited', async () => {
    const url = await listen({}, { streamsPerClient: 2 });
    const open = [await follow(url), await follow(url)];
    const refused = await follow(url);
    expect(refused.status).toBe(429);
    expect(await refused.json()).toMatchObject({ code: 'too-many-requests', retryAfterSeconds: 10 });
    await open[0]?.body?.cancel();
    await eventually(async () => {
      const again = await follow(url);
      await again.body?.cancel();
      expect(again.status).toBe(200);
    }, patience);
    await open[1]?.body?.cancel();
  });

  it('of all clients are limited, and hold up no requests', async () => {
    const { stated } = hanging();
    const url = await listen(stated, { streams: 2, requests: 1 });
    const open = [await follow(url), await follow(url)];
    const refused = await follow(url);
    expect(refused.status).toBe(503);
    expect(await refused.json()).toMatchObject({ code: 'overloaded' });
    expect(await metric(url, 'waymark_http_streams')).toBe(2);
    for (const { body } of open) await body?.cancel();
    await eventually(async () => expect(await metric(url, 'waymark_http_streams')).toBe(0), patience);
  });
});

describe('what is sent at once on a connection', () => {
  it('ends with it: computations and streams that wait behind another answer', async () => {
    const { stated, signals } = hanging();
    const url = await listen(stated);
    const socket = await raw();
    const computation = `POST /v1/path-computations HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: ${aPath.body.length}\r\n\r\n${aPath.body}`;
    socket.write(computation.repeat(2) + 'GET /v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n'.repeat(2));
    await eventually(() => expect(signals.length).toBe(2), patience);
    await eventually(async () => expect(await metric(url, 'waymark_http_streams')).toBe(2), patience);
    socket.resetAndDestroy();
    await eventually(() => expect(signals.map(({ aborted }) => aborted)).toEqual([true, true]), patience);
    await eventually(async () => expect(await metric(url, 'waymark_http_streams')).toBe(0), patience);
    expect(await metric(url, 'waymark_http_requests_under_way')).toBe(1);
  });
});

describe('bodies', () => {
  it('that are too large are refused by their length, before they are read', async () => {
    await listen({});
    const socket = await raw();
    socket.write(
      'POST /v1/path-computations HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 999999999\r\n\r\n',
    );
    const [first] = (await once(socket, 'data')) as [Buffer];
    expect(first.toString()).toMatch(/^HTTP\/1\.1 413 /);
  });

  it('are refused while others take the memory there is for them', async () => {
    const url = await listen(
      { topology: { nodes: () => Promise.resolve({ items: [], next: null }) } },
      { bodyBytes: 1_000 },
    );
    const post = 'POST /v1/path-computations HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n';
    const slow = await raw();
    slow.write(`${post}Content-Length: 900\r\n\r\n{`);
    const refused = { ...aPath, body: '{}'.padEnd(900) };
    await eventually(async () => {
      expect(await (await fetch(`${url}/v1/path-computations`, refused)).json()).toMatchObject({ code: 'overloaded' });
    }, patience);
    expect((await fetch(`${url}/v1/nodes`)).status).toBe(200);
    slow.destroy();
    await eventually(async () => {
      expect((await fetch(`${url}/v1/path-computations`, refused)).status).toBe(400);
    }, patience);
    // one of unknown length, and then no other
    const chunked = await raw();
    chunked.write(`${post}Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n`);
    await eventually(async () => {
      expect(await (await fetch(`${url}/v1/path-computations`, refused)).json()).toMatchObject({ code: 'overloaded' });
    }, patience);
  });

  it.each(['[', '{"a":'])('that are nested as deeply as they can be (%s) are refused', async (opening) => {
    const url = await listen({});
    for (const path of ['/v1/path-computations', '/v1/sources/s/events', '/v1/dry-runs', '/v1/sr-policies']) {
      const depth = Math.floor(400_000 / opening.length);
      const body = opening.repeat(depth) + '1' + (opening === '[' ? ']' : '}').repeat(depth);
      const answer = await fetch(url + path, { ...aPath, body });
      expect([path, answer.status]).toEqual([path, 400]);
    }
  });
});
