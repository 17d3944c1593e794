import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '../chaos/devices/random.js';
import { fillBuffers } from '../chaos/devices/redis-server.js';
import { SlowProcess } from '../chaos/devices/slow-process.js';
import type { ManagedProcess } from './managed-process.js';
import type { ShakenParts } from './shaken-parts.js';
import type { Line, Waymark } from './waymark.js';

/** Something that goes wrong with the control plane. */
export interface Fault {
  /** What, and to whom. */
  readonly name: string;
  /** Resolves to what makes it good again, which resolves when it is. */
  readonly strike: () => Promise<() => Promise<void>>;
}

export interface Shaken {
  readonly waymark: Waymark;
  readonly parts: ShakenParts;
  readonly controllers: number;
  /** Hosts with an agent. */
  readonly hosts: readonly string[];
}

const HOUR = 3600;
const DAY = 24 * HOUR;
const RESTART_MS = 200;

/** One fault of every kind that hits a process of Waymark, each with a victim of its own. */
export function processFaults({ waymark, parts, controllers, hosts }: Shaken, random: Random): readonly Fault[] {
  const host = () => pick(hosts, random);
  const number = () => Math.floor(random() * controllers);
  const ahead = () => pick([HOUR, -HOUR, DAY, -DAY], random);
  const [killed, frozen, slowed, shifted] = [host(), host(), host(), host()];
  const [dead, hung, lame, wrong] = [number(), number(), number(), number()];
  const clock = (process: `controller-${number}` | `agent-${string}`): Fault => {
    const seconds = ahead();
    return reversible(
      `clock of ${process} ${seconds > 0 ? '+' : '-'}${Math.abs(seconds) / HOUR} h`,
      () => parts.clock(process).set(seconds),
      () => parts.clock(process).set(0),
    );
  };
  return [
    reversible(
      `kill -9 controller-${dead}`,
      () => waymark.killController(dead),
      () => startedAgain(waymark, dead),
    ),
    reversible(
      `kill -9 agent-${killed}`,
      () => waymark.killAgent(killed),
      () => waymark.startAgent(killed),
    ),
    freezing(`controller-${hung}`, () => waymark.controller(hung)),
    freezing(`agent-${frozen}`, () => waymark.agent(frozen)),
    slowing(`controller-${lame}`, () => waymark.controller(lame)),
    slowing(`agent-${slowed}`, () => waymark.agent(slowed)),
    clock(`controller-${wrong}`),
    clock(`agent-${shifted}`),
  ];
}

/** One fault of every kind that hits what Waymark stands on. */
export function surroundingFaults({ parts, controllers }: Shaken, random: Random): readonly Fault[] {
  const { postgres, redis } = parts;
  const lines: readonly Line[] = [
    'redis',
    ...Array.from({ length: controllers }, (_, i) => `controller-${i}` as const),
  ];
  const line = () => {
    const name = pick(lines, random);
    return { name, proxy: () => parts.line(name) };
  };
  const [cut, stalled, late, damaged] = [line(), line(), line(), line()];
  return [
    reversible(
      'kill -9 redis',
      () => redis.stop('SIGKILL'),
      () => redis.start(),
    ),
    reversible(
      'redis frozen',
      () => redis.freeze(),
      () => redis.thaw(),
    ),
    reversible(
      'subscribers of redis overrun',
      () => fillBuffers(redis),
      () => undefined,
    ),
    reversible(
      'kill -9 postgres',
      () => postgres.kill(),
      () => postgres.restart(),
    ),
    reversible(
      'postgres frozen',
      () => postgres.freeze(),
      () => postgres.thaw(),
    ),
    reversible(
      'disk of postgres full',
      () => postgres.fill(),
      () => postgres.empty(),
    ),
    reversible(
      'connections to postgres cut',
      () => postgres.proxy.cut(),
      () => postgres.proxy.resume(),
    ),
    reversible(
      'connections to postgres stalled',
      () => postgres.proxy.stall(),
      () => postgres.proxy.resume(),
    ),
    reversible(
      `connections to ${cut.name} cut`,
      () => cut.proxy().cut(),
      () => cut.proxy().resume(),
    ),
    reversible(
      `connections to ${stalled.name} stalled`,
      () => stalled.proxy().stall(),
      () => stalled.proxy().resume(),
    ),
    reversible(
      `connections to ${late.name} late`,
      () => late.proxy().delay(300),
      () => late.proxy().resume(),
    ),
    reversible(
      `connections to ${damaged.name} damaged`,
      () => damaged.proxy().corrupt(5),
      () => damaged.proxy().resume(),
    ),
  ];
}

/** In an order that the seed decides. */
export function shuffled<T>(items: readonly T[], random: Random): readonly T[] {
  const order = items.map((item) => ({ item, at: random() }));
  return order.sort((a, b) => a.at - b.at).map(({ item }) => item);
}

function pick<T>(items: readonly T[], random: Random): T {
  const item = items[Math.floor(random() * items.length)];
  if (item === undefined) throw new RangeError('there is nothing to pick from');
  return item;
}

function reversible(name: string, strike: () => unknown, mend: () => unknown): Fault {
  return {
    name,
    strike: async () => {
      await strike();
      return async () => {
        await mend();
      };
    },
  };
}

function freezing(name: string, process: () => ManagedProcess): Fault {
  return reversible(
    `${name} frozen`,
    () => process().freeze(),
    () => process().thaw(),
  );
}

function slowing(name: string, process: () => ManagedProcess): Fault {
  return {
    name: `${name} runs one fifth of the time`,
    strike: () => {
      const slow = new SlowProcess(process().pid ?? NaN, { runMs: 20, pauseMs: 80 });
      return Promise.resolve(() => {
        slow.stop();
        return Promise.resolve();
      });
    },
  };
}

/** As its supervisor would: a controller that finds no database ends. */
async function startedAgain(waymark: Waymark, index: number): Promise<void> {
  for (;;) {
    try {
      await waymark.startController(index);
      return;
    } catch {
      await sleep(RESTART_MS);
    }
  }
}
