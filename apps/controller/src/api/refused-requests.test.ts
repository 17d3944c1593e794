import { afterEach, describe, expect, it, vi } from 'vitest';
import type { AccessService } from '../model/access.js';
import { Problem } from '../model/errors.js';
import { testApp } from '../testing/test-app.js';
import type { ApiApp } from './type-provider.js';

const access: AccessService = {
  isOpen: false,
  identify: (token) =>
    token === 'viewer'
      ? Promise.resolve({ name: 'val', role: 'viewer', operations: null, credential: 'api-key:wmk_0000000000000000' })
      : Promise.reject(new Problem('unauthenticated', { detail: 'this API key does not exist, or not any more' })),
};

describe('requests that are refused because of who made them', () => {
  let app: ApiApp | undefined;
  afterEach(async () => {
    vi.useRealTimers();
    await app?.close();
  });

  const lines = (log: readonly string[]) => log.map((line) => JSON.parse(line) as Record<string, unknown>);
  const mesh = { method: 'POST', url: '/v1/meshes' } as const;

  it('are in the log: who, from where, what for, why', async () => {
    const { app: opened, log } = await testApp({ access });
    app = opened;
    const refused = await app.inject({ ...mesh, headers: { authorization: 'Bearer viewer' } });
    await app.inject({ url: '/v1/nodes', headers: { authorization: 'Bearer guessed' } });
    await app.inject({ url: '/v1/nodes?x=1', headers: { authorization: 'Bearer viewer' } });
    expect(lines(log)).toMatchObject([
      {
        ...{ msg: 'a request was refused', code: 'forbidden', from: '127.0.0.1', method: 'POST', route: '/v1/meshes' },
        ...{ why: 'createMesh needs the role operator; val has viewer', requestId: refused.headers['x-request-id'] },
      },
      { msg: 'a request was refused', code: 'unauthenticated', method: 'GET', route: '/v1/nodes' },
    ]);
  });

  it('do not fill it, and each counts in the metrics', async () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    const health = () => Promise.resolve({ live: true, ready: false, checks: {} });
    const { app: opened, log } = await testApp({ access, health });
    app = opened;
    const guess = () => app?.inject({ url: '/v1/nodes', headers: { authorization: 'Bearer guessed' } });
    for (let i = 0; i < 25; i++) await guess();
    expect(log).toHaveLength(10);
    vi.advanceTimersByTime(60_000);
    await guess();
    expect(lines(log).at(-1)).toMatchObject({ msg: 'a request was refused', untold: 15 });
    await guess();
    expect(lines(log).at(-1)).not.toHaveProperty('untold');
    const metrics = await app.inject({ url: '/metrics', headers: { authorization: 'Bearer viewer' } });
    expect(metrics.body).toContain('_count{method="GET",route="/v1/nodes",status="401"} 27\n');
  });
});
