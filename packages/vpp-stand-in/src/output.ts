import type { Socket } from 'node:net';
import type { Faults } from './faults.js';

interface Chunk {
  readonly bytes: Buffer;
  /** On the clock of performance.now(). */
  readonly dueAt: number;
  readonly closes: boolean;
}

/** Sends to one client in order, with the delay and in the pieces that the faults ask for. */
export class Output {
  readonly #socket: Socket;
  readonly #faults: Faults;
  readonly #queue: Chunk[] = [];
  #timer: NodeJS.Timeout | undefined;
  #isSplitting = false;

  constructor(socket: Socket, faults: Faults) {
    this.#socket = socket;
    this.#faults = faults;
    socket.once('close', () => {
      clearTimeout(this.#timer);
      this.#queue.length = 0;
    });
  }

  send(bytes: Buffer): void {
    this.#enqueue(bytes, false);
  }

  /** Sends what is queued and these bytes, then closes. */
  sendAndClose(bytes: Buffer): void {
    this.#enqueue(bytes, true);
  }

  #enqueue(bytes: Buffer, closes: boolean): void {
    this.#queue.push({ bytes, closes, dueAt: performance.now() + this.#faults.replyDelayMs });
    this.#pump();
  }

  #pump(): void {
    while (this.#timer === undefined && !this.#isSplitting) {
      const [head] = this.#queue;
      if (head === undefined || this.#socket.destroyed) return;
      const wait = head.dueAt - performance.now();
      if (wait > 0) {
        this.#timer = setTimeout(() => {
          this.#timer = undefined;
          this.#pump();
        }, wait);
        return;
      }
      this.#queue.shift();
      if (head.closes) this.#socket.write(head.bytes, () => this.#socket.destroy());
      else if (this.#faults.splitWrites) this.#split(head.bytes, 0);
      else this.#socket.write(head.bytes);
    }
  }

  #split(bytes: Buffer, offset: number): void {
    if (offset >= bytes.length || this.#socket.destroyed) {
      this.#isSplitting = false;
      this.#pump();
      return;
    }
    this.#isSplitting = true;
    this.#socket.write(bytes.subarray(offset, offset + 1), () => setImmediate(() => this.#split(bytes, offset + 1)));
  }
}
