import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from './random.js';

/** Open, or shut until it is opened. */
export class Gate {
  #opened: Promise<void> | undefined;
  #open: (() => void) | undefined;

  /** Settled while it is open. */
  get opened(): Promise<void> {
    return this.#opened ?? Promise.resolve();
  }

  shut(): void {
    this.#opened ??= new Promise((open) => (this.#open = open));
  }

  open(): void {
    this.#open?.();
    this.#opened = undefined;
  }
}

/** What is wrong with the line between two ends, at this moment. */
export interface Line {
  readonly gate: Gate;
  delayMs: number;
  /** How many bytes are still to be changed. */
  damage: number;
  readonly random: Random;
}

/** What may wait in one direction before the sender has to wait. */
const WAITING_BYTES = 1 << 20;

interface Waiting {
  /** Absent: the sender has no more to say. */
  readonly chunk?: Buffer;
  readonly due: number;
}

/** One direction of one connection. */
export class Pump {
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #line: Line;
  readonly #waiting: Waiting[] = [];
  #bytes = 0;
  #running = false;

  constructor(from: Socket, to: Socket, line: Line) {
    this.#from = from;
    this.#to = to;
    this.#line = line;
    from.on('data', (chunk: Buffer) => this.#take(chunk));
    from.on('end', () => this.#take());
  }

  #take(chunk?: Buffer): void {
    this.#waiting.push({ ...(chunk !== undefined && { chunk }), due: performance.now() + this.#line.delayMs });
    this.#bytes += chunk?.length ?? 0;
    if (this.#bytes > WAITING_BYTES) this.#from.pause();
    if (!this.#running) void this.#run();
  }

  async #run(): Promise<void> {
    this.#running = true;
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      const early = next.due - performance.now();
      if (early > 0) await sleep(early);
      await this.#line.gate.opened;
      if (this.#to.destroyed) {
        this.#from.resetAndDestroy();
        return;
      }
      if (next.chunk === undefined) {
        this.#to.end();
        continue;
      }
      this.#bytes -= next.chunk.length;
      if (this.#bytes <= WAITING_BYTES) this.#from.resume();
      if (!this.#to.write(this.#damaged(next.chunk))) await drained(this.#to);
    }
    this.#running = false;
  }

  /** Each position once, so that no change undoes another. */
  #damaged(chunk: Buffer): Buffer {
    const count = Math.min(this.#line.damage, chunk.length);
    if (count === 0) return chunk;
    this.#line.damage -= count;
    const changed = Buffer.from(chunk);
    const positions = new Set<number>();
    while (positions.size < count) positions.add(Math.floor(this.#line.random() * chunk.length));
    for (const position of positions) {
      changed[position] = (changed[position] ?? 0) ^ (1 + Math.floor(this.#line.random() * 255));
    }
    return changed;
  }
}

/** Or gone: then nothing is left to do. */
function drained(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    const settle = (): void => {
      socket.off('drain', settle).off('close', settle);
      resolve();
    };
    socket.on('drain', settle).on('close', settle);
    if (socket.destroyed) settle();
  });
}
