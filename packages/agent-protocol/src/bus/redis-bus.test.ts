import { spawnSync } from 'node:child_process';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { missingNeeds } from '../../../../test/require-program.js';
import { describeBusContract } from '../testing/bus-contract.js';
import { RedisServer } from '../testing/redis-server.js';
import { BusClosedError } from './bus.js';
import { RedisBus } from './redis-bus.js';

const missing = missingNeeds({ programs: ['redis-server', 'setpriv', 'redis-cli'] });
const patient = { timeout: 20_000 };

describe.skipIf(missing !== undefined)(`the Redis bus${missing === undefined ? '' : ` (skipped: ${missing})`}`, () => {
  describeBusContract('Redis', async () => {
    const server = await RedisServer.start();
    return { create: () => new RedisBus(server.url, () => undefined), stop: () => server.stop() };
  });

  describe('when Redis goes away', () => {
    let server: RedisServer;
    let bus: RedisBus;
    let errors: Error[];

    beforeEach(async () => {
      server = await RedisServer.start();
      errors = [];
      bus = new RedisBus(server.url, (error) => errors.push(error));
    });

    afterEach(async () => {
      await bus.close();
      server.thaw();
      await server.stop('SIGKILL');
    });

    /** Listens on channel `a`; keeps what it hears and how the connection went. */
    async function listen(): Promise<string[]> {
      const log: string[] = [];
      await bus.subscribe('a', (payload) => log.push(Buffer.from(payload).toString()));
      bus.onConnection((connected) => log.push(connected ? 'back' : 'gone'));
      return log;
    }

    it.each(['SIGTERM', 'SIGKILL'] as const)('comes back after %s, and says when it hears again', async (signal) => {
      const log = await listen();
      await bus.publish('a', Buffer.from('before'));
      await vi.waitFor(() => expect(log).toEqual(['before']));
      await server.stop(signal);
      await vi.waitFor(() => expect(log).toEqual(['before', 'gone']), patient);
      expect(bus.connected).toBe(false);
      expect(await bus.publish('a', Buffer.from('lost'))).toBe(false);
      await server.start();
      await vi.waitFor(() => expect(log).toEqual(['before', 'gone', 'back']), patient);
      await vi.waitFor(async () => expect(await bus.publish('a', Buffer.from('after'))).toBe(true), patient);
      await vi.waitFor(() => expect(log).toEqual(['before', 'gone', 'back', 'after']));
    });

    it('neither throws nor keeps what is published while it is down', async () => {
      const log = await listen();
      await server.stop('SIGKILL');
      await vi.waitFor(() => expect(log).toEqual(['gone']), patient);
      const results = await Promise.all(
        Array.from({ length: 20_000 }, (_, index) => bus.publish('a', Buffer.from(`lost ${String(index)}`))),
      );
      expect(results.some(Boolean)).toBe(false);
      await server.start();
      await vi.waitFor(() => expect(log).toEqual(['gone', 'back']), patient);
      await vi.waitFor(async () => expect(await bus.publish('a', Buffer.from('after'))).toBe(true), patient);
      await vi.waitFor(() => expect(log).toEqual(['gone', 'back', 'after']));
    });

    it('drops instead of queueing when Redis hangs, and gives up a connection that stays silent', async () => {
      const log = await listen();
      expect(await bus.publish('a', Buffer.from('before'))).toBe(true);
      server.freeze();
      const results = Array.from({ length: 5_000 }, () => bus.publish('a', Buffer.alloc(100)));
      const dropped = await Promise.all(results.slice(1_000));
      expect(dropped.some(Boolean)).toBe(false);
      expect(await Promise.all(results.slice(0, 1_000))).toContain(false);
      server.thaw();
      await vi.waitFor(async () => expect(await bus.publish('a', Buffer.from('after'))).toBe(true), patient);
      await vi.waitFor(() => expect(log.at(-1)).toBe('after'), patient);
    });

    it('confirms a subscription that was asked for before there was a server', async () => {
      await server.stop();
      const heard: string[] = [];
      const subscribed = bus.subscribe('a', (payload) => heard.push(Buffer.from(payload).toString()));
      await vi.waitFor(() => expect(errors.length).toBeGreaterThan(0), patient);
      await server.start();
      await subscribed;
      await vi.waitFor(async () => expect(await bus.publish('a', Buffer.from('x'))).toBe(true), patient);
      await vi.waitFor(() => expect(heard).toEqual(['x']));
    });

    it('rejects a subscription that is waiting when the bus is closed', async () => {
      await server.stop();
      const subscribed = bus.subscribe('a', () => undefined);
      subscribed.catch(() => undefined);
      await bus.close();
      await expect(subscribed).rejects.toThrow(BusClosedError);
    });

    it('notices when Redis drops it for reading too slowly', async () => {
      const log = await listen();
      const redis = ['-p', String(server.port)];
      spawnSync('redis-cli', [...redis, 'config', 'set', 'client-output-buffer-limit', 'pubsub 65536 65536 1']);
      // This process is blocked meanwhile, so it reads nothing of what Redis sends it.
      const flood = "for i = 1, 300 do redis.call('publish', 'a', string.rep('x', 100000)) end";
      spawnSync('redis-cli', [...redis, 'eval', flood, '0']);
      await vi.waitFor(() => expect(log).toContain('gone'), patient);
      await vi.waitFor(() => expect(log.at(-1)).toBe('back'), patient);
      await bus.publish('a', Buffer.from('after'));
      await vi.waitFor(() => expect(log.at(-1)).toBe('after'));
    });
  });
});
