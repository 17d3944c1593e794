import { fillBuffers } from '../devices/redis-server.js';
import { SlowProcess } from '../devices/slow-process.js';
import type { Fault } from '../plan.js';
import type { ChaosSystem } from './system.js';

/** Undoes a fault; to be awaited, for some take their time. */
export type Undo = () => unknown;

/** Does a fault to the system. Undoing one never waits for the system to be well again. */
export async function inject(system: ChaosSystem, fault: Fault): Promise<Undo> {
  switch (fault.kind) {
    case 'kill':
      return kill(system, fault.process);
    case 'freeze':
      return freeze(system, fault.process);
    case 'slow': {
      const { pid } = system.part(fault.process);
      if (pid === undefined) return nothing;
      const slow = new SlowProcess(pid, fault);
      return () => slow.stop();
    }
    case 'cut':
    case 'stall':
    case 'delay':
    case 'corrupt': {
      const line = system.line(fault.line);
      if (fault.kind === 'cut') line.cut();
      if (fault.kind === 'stall') line.stall();
      if (fault.kind === 'delay') line.delay(fault.ms);
      if (fault.kind === 'corrupt') line.corrupt(fault.bytes);
      return () => line.resume();
    }
    case 'clock': {
      const clock = system.clock(fault.process);
      clock.set(fault.aheadSeconds);
      return () => clock.set(0);
    }
    case 'fill-redis-buffers':
      await fillBuffers(system.redis);
      return nothing;
    case 'disk-full':
      await system.postgres.fill();
      return () => system.postgres.empty();
  }
}

async function kill(system: ChaosSystem, name: string): Promise<Undo> {
  const { redis, postgres } = system;
  if (name === 'redis') {
    await redis.stop('SIGKILL');
    return () => redis.start();
  }
  if (name === 'postgres') {
    await postgres.kill();
    return () => postgres.restart();
  }
  const killed = system.part(name);
  await killed.kill();
  return () => killed.start();
}

async function freeze(system: ChaosSystem, name: string): Promise<Undo> {
  const { redis, postgres } = system;
  if (name === 'redis') {
    redis.freeze();
    return () => redis.thaw();
  }
  if (name === 'postgres') {
    await postgres.freeze();
    return () => postgres.thaw();
  }
  const frozen = system.part(name);
  frozen.freeze();
  return () => frozen.thaw();
}

const nothing: Undo = () => undefined;
