import { request as send } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pino } from 'pino';
import { afterEach, describe, expect, it } from 'vitest';
import type { AccessService } from '../model/access.js';
import { unrecorded, type Journal } from '../model/journal.js';
import { Problem } from '../model/errors.js';
import type { RequestInput, RequestOutput } from '../model/recording.js';
import { eventually } from '../testing/eventually.js';
import { fixedServices, type StatedServices } from '../testing/fixed-services.js';
import { buildApp } from './app.js';
import type { ApiLimits } from './limits.js';
import { recordedOperations } from './recorded-operations.js';
import type { ApiApp } from './type-provider.js';

interface Recorded {
  readonly input: RequestInput;
  readonly isShared: boolean;
  readonly output: RequestOutput;
}

const alice: AccessService = {
  isOpen: false,
  identify: (token) =>
    token === 'key-of-alice'
      ? Promise.resolve({ name: 'alice', role: 'admin', operations: null, credential: 'api-key:wmk_1' })
      : Promise.reject(new Problem('unauthenticated', { detail: 'who?' })),
};
const headers = { authorization: 'Bearer key-of-alice', 'content-type': 'application/json' };
const key = { name: 'k', role: 'viewer' };

let app: ApiApp | undefined;
afterEach(() => app?.close());

async function recording(
  stated: StatedServices,
  limits: Partial<ApiLimits> = {},
): Promise<{ readonly app: ApiApp; readonly recorded: Recorded[] }> {
  const recorded: Recorded[] = [];
  const journal: Journal = {
    ...unrecorded,
    take: async ({ input, isShared = false, outputOf }, work) => {
      const result = await work();
      recorded.push({ input: input as RequestInput, isShared, output: outputOf(result) as RequestOutput });
      return result;
    },
  };
  const services = fixedServices({ access: alice, ...stated });
  app = await buildApp(services, { version: '0.0.0', logger: pino({ level: 'silent' }), journal, limits });
  return { app, recorded };
}

const deletePolicy = { deletePolicy: () => Promise.resolve() };

describe('of requests that are recorded', () => {
  it('there are all that change or compute something, but for jobs', async () => {
    const { app } = await recording({});
    await app.ready();
    const paths = app.swagger().paths as unknown as Record<string, Record<string, { operationId: string }>>;
    const operations = Object.values(paths).flatMap((methods) =>
      Object.entries(methods)
        .filter(([method]) => method !== 'get')
        .map(([, { operationId }]) => operationId),
    );
    const others = operations.filter((id) => !recordedOperations.has(id)).sort();
    expect(others).toEqual(['createPathBatch', 'deleteFailureSweep', 'deletePathBatch', 'startFailureSweep']);
  });

  it('there is who asks, by name, and nothing that he proves it with', async () => {
    const { app, recorded } = await recording({ policies: deletePolicy });
    const url = '/v1/sr-policies/h1:1:h2';
    const { statusCode } = await app.inject({
      method: 'DELETE',
      url,
      headers: { ...headers, 'if-match': '"3"' },
      body: {},
    });
    expect(statusCode).toBe(204);
    expect(recorded).toMatchObject([
      {
        input: {
          operation: 'deletePolicy',
          method: 'DELETE',
          url,
          headers: { 'if-match': '"3"' },
          identity: { name: 'alice' },
        },
        output: { status: 204, headers: {}, body: null },
      },
    ]);
    expect(JSON.stringify(recorded)).not.toContain('key-of-alice');
  });

  it('no answer has the key that it gives away', async () => {
    const view = {
      ...({
        name: 'k',
        prefix: 'wmk_1',
        role: 'viewer',
        operations: null,
        createdAt: '2026-01-01T00:00:00.000Z',
      } as const),
      ...{ createdBy: 'alice', expiresAt: null, rotatedAt: null, previousValidUntil: null, lastUsedAt: null },
    };
    const create = () => Promise.resolve({ key: view, secret: 'very-secret' });
    const { app, recorded } = await recording({ apiKeys: { create } });
    const { body } = await app.inject({ method: 'POST', url: '/v1/api-keys', headers, payload: key });
    expect(body).toContain('very-secret');
    expect(recorded).toMatchObject([{ input: { body: key }, output: { status: 201, body: '[secret]' } }]);
    expect(JSON.stringify(recorded)).not.toContain('very-secret');
  });

  it('one that is refused by what it does has its problem, and one that is refused before takes no effect', async () => {
    const refusal = new Problem('already-exists', { detail: 'there is an API key k' });
    const { app, recorded } = await recording({ apiKeys: { create: () => Promise.reject(refusal) } });
    const post = (payload: object, authorization = headers.authorization) =>
      app.inject({ method: 'POST', url: '/v1/api-keys', headers: { ...headers, authorization }, payload });
    expect((await post({ ...key, role: 'king' })).statusCode).toBe(400);
    expect((await post(key, 'Bearer of-bob')).statusCode).toBe(401);
    expect(recorded).toEqual([]);
    expect((await post(key)).statusCode).toBe(409);
    expect(recorded).toMatchObject([{ output: { status: 409, body: { code: 'already-exists' } } }]);
  });

  it('one is over when it has taken effect, though it took too long for an answer', async () => {
    let finish = (): void => undefined;
    const finished = new Promise<void>((resolve) => (finish = resolve));
    const { app, recorded } = await recording({ policies: { deletePolicy: () => finished } }, { workMs: 50 });
    const url = '/v1/sr-policies/h1:1:h2';
    const answer = await app.inject({ method: 'DELETE', url, headers: { ...headers, 'if-match': '"3"' }, body: {} });
    expect(answer.json()).toMatchObject({ code: 'took-too-long' });
    expect(recorded).toEqual([]);
    finish();
    await eventually(() => expect(recorded).toMatchObject([{ output: null }]));
  });

  it('one is over when it has taken effect, though whoever asked has gone', async () => {
    let begun = false;
    let finish = (): void => undefined;
    const finished = new Promise<void>((resolve) => (finish = resolve));
    const { app, recorded } = await recording({
      policies: {
        deletePolicy: () => {
          begun = true;
          return finished;
        },
      },
    });
    await app.listen({ host: '127.0.0.1', port: 0 });
    const { port } = app.server.address() as AddressInfo;
    const path = '/v1/sr-policies/h1:1:h2';
    const { authorization } = headers;
    const request = send({ port, path, method: 'DELETE', headers: { authorization, 'if-match': '"1"' } }).end();
    await eventually(() => begun);
    // 'error' comes before it: that the connection was cut is what is wanted here.
    const closed = new Promise((resolve) => request.on('error', () => undefined).once('close', resolve));
    request.destroy();
    await closed;
    await eventually(async () => {
      const connections = await new Promise((resolve, reject) =>
        app.server.getConnections((error, count) => (error === null ? resolve(count) : reject(error))),
      );
      expect(connections).toBe(0);
    });
    expect(recorded).toEqual([]);
    finish();
    await eventually(() => expect(recorded).toHaveLength(1));
  });
});
