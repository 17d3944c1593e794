import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { RedisServer } from '../../packages/agent-protocol/src/testing/redis-server.js';
import { Clock } from '../chaos/devices/clock.js';
import type { Random } from '../chaos/devices/random.js';
import { startTightRedis } from '../chaos/devices/redis-server.js';
import { SmallDiskPostgres } from '../chaos/devices/small-disk-postgres.js';
import { TcpProxy } from '../chaos/devices/tcp-proxy.js';
import type { ControlProcess, Line, WaymarkOptions } from './waymark.js';

/** What lies between and under the parts of Waymark so that it can be broken: lines, clocks, Redis, Postgres. */
export class ShakenParts {
  readonly postgres: SmallDiskPostgres;
  readonly redis: RedisServer;
  readonly #address: string;
  readonly #folder: string;
  readonly #random: Random;
  readonly #lines = new Map<Line, TcpProxy>();
  readonly #clocks = new Map<ControlProcess, Clock>();

  private constructor(postgres: SmallDiskPostgres, redis: RedisServer, place: Place) {
    this.postgres = postgres;
    this.redis = redis;
    this.#address = place.address;
    this.#folder = place.folder;
    this.#random = place.random;
  }

  static async start(place: Place): Promise<ShakenParts> {
    await mkdir(join(place.folder, 'clocks'));
    const postgres = await SmallDiskPostgres.start(place.random);
    return new ShakenParts(postgres, await startTightRedis(place.address), place);
  }

  /** For Waymark, which ends Redis itself. */
  options(): Pick<WaymarkOptions, 'databaseUrl' | 'redis' | 'detour' | 'environmentOf'> {
    return {
      databaseUrl: this.postgres.url,
      redis: this.redis,
      detour: async (line, port) => {
        const proxy = await TcpProxy.start({
          host: this.#address,
          target: { host: this.#address, port },
          random: this.#random,
        });
        this.#lines.set(line, proxy);
        return proxy.port;
      },
      environmentOf: (process) => this.clock(process).environment,
    };
  }

  line(name: Line): TcpProxy {
    const proxy = this.#lines.get(name);
    if (proxy === undefined) throw new Error(`there is no line to ${name}`);
    return proxy;
  }

  clock(process: ControlProcess): Clock {
    const clock = this.#clocks.get(process) ?? new Clock(join(this.#folder, 'clocks', process));
    this.#clocks.set(process, clock);
    return clock;
  }

  /** Links to which policies may move when the hold time ends, or may be moving because it ended a moment ago. */
  async linksOnHold(): Promise<readonly string[]> {
    const client = new pg.Client({ connectionString: this.postgres.url });
    await client.connect();
    try {
      const { rows } = await client.query<{ link_id: string }>(
        "select link_id from link_hold where held_until > now() - interval '2 seconds'",
      );
      return rows.map(({ link_id }) => link_id);
    } finally {
      await client.end();
    }
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#lines.values()].map((line) => line.close()));
    await this.postgres.stop();
  }
}

interface Place {
  /** Of the controllers, reachable from the hosts. */
  readonly address: string;
  /** Removed by others. */
  readonly folder: string;
  readonly random: Random;
}
