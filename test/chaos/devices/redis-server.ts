import { Redis } from 'ioredis';
import { RedisServer } from '../../../packages/agent-protocol/src/testing/redis-server.js';

/** What may wait for a subscriber before Redis ends its connection, and loses what waited. */
const BUFFER_BYTES = 32 << 10;

/** A redis-server with little memory, and the least patience with subscribers that do not read fast enough. */
export function startTightRedis(address = '127.0.0.1'): Promise<RedisServer> {
  const limit = `pubsub ${String(BUFFER_BYTES)} ${String(BUFFER_BYTES)} 1`;
  return RedisServer.start({
    address,
    settings: ['--maxmemory', '8mb', '--maxmemory-policy', 'noeviction', '--client-output-buffer-limit', limit],
  });
}

/**
 * Fills the buffers of all subscribers of such a server, each with more than it may hold. The
 * server ends their connections. Returns how many subscriptions that were.
 */
export async function fillBuffers({ url }: RedisServer): Promise<number> {
  const client = new Redis(url, { lazyConnect: true, retryStrategy: null });
  client.on('error', () => undefined);
  try {
    await client.connect();
    const channels = (await client.pubsub('CHANNELS', '*')) as string[];
    const junk = Buffer.alloc(2 * BUFFER_BYTES, 'full');
    const receivers = await Promise.all(channels.map((channel) => client.publish(channel, junk)));
    return receivers.reduce((sum, count) => sum + count, 0);
  } finally {
    client.disconnect();
  }
}
