import { RedisBus } from '@waymark/agent-protocol';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { RedisServer } from '../../../packages/agent-protocol/src/testing/redis-server.js';
import { missingNeeds } from '../../require-program.js';
import { fillBuffers, startTightRedis } from './redis-server.js';

const missing = missingNeeds({ programs: ['redis-server', 'setpriv'] });
const patient = { timeout: 60_000 };

describe.skipIf(missing !== undefined)(`tight Redis${missing === undefined ? '' : ` (skipped: ${missing})`}`, () => {
  let server: RedisServer;
  let bus: RedisBus;

  beforeEach(async () => {
    server = await startTightRedis();
    bus = new RedisBus(server.url, () => undefined);
  });

  afterEach(async () => {
    await bus.close();
    await server.stop('SIGKILL');
  });

  it('ends the connections of all subscribers, who hear of it and come back', async () => {
    const log: string[] = [];
    await bus.subscribe('a', (payload) => log.push(Buffer.from(payload).toString()));
    bus.onConnection((connected) => log.push(connected ? 'back' : 'gone'));
    await bus.publish('a', Buffer.from('before'));
    await vi.waitFor(() => expect(log).toEqual(['before']), patient);
    expect(await fillBuffers(server)).toBe(1);
    await vi.waitFor(() => expect(log).toEqual(['before', 'gone', 'back']), patient);
    await vi.waitFor(async () => expect(await bus.publish('a', Buffer.from('after'))).toBe(true), patient);
    await vi.waitFor(() => expect(log).toEqual(['before', 'gone', 'back', 'after']), patient);
    expect(await fillBuffers(server)).toBe(1);
  });
});
