import { once, EventEmitter } from 'node:events';
import type { EventType, WaymarkEvent } from '../model/events.js';
import type { EventBus } from '../model/ports.js';

/** An event with its id, or word that events are gone. */
export type LogEntry =
  | { readonly kind: 'event'; readonly id: string; readonly event: WaymarkEvent }
  | { readonly kind: 'reset'; readonly id: string; readonly reason: string };

const FORGOTTEN = 'the events since then are no longer known';

/**
 * The newest events that this process knows of, so that a reader who lost its connection, or is slow, misses nothing without being
 * told. A reader is a cursor into the log: it costs nothing while it waits, and however slow it is, no queue grows.
 */
export class EventLog {
  readonly #capacity: number;
  readonly #stream: string;
  readonly #wake = new EventEmitter().setMaxListeners(0);
  readonly #unsubscribe: () => void;
  readonly #ring: WaymarkEvent[] = [];
  #next = 1;
  /** Nothing before this position is part of a story without gaps. */
  #floor = 1;
  #gap = FORGOTTEN;

  /** `stream` names this run of the process in event ids: ids of another run are recognised as such. */
  constructor(bus: EventBus, options: { readonly capacity: number; readonly stream: string }) {
    this.#capacity = options.capacity;
    this.#stream = options.stream;
    this.#unsubscribe = bus.subscribe(
      (event) => {
        this.#ring[this.#next % this.#capacity] = event;
        this.#next += 1;
        this.#wake.emit('event');
      },
      (reason) => {
        // A position of its own, so that those who have read everything are told too.
        this.#next += 1;
        this.#floor = this.#next;
        this.#gap = reason;
        this.#wake.emit('event');
      },
    );
  }

  close(): void {
    this.#unsubscribe();
  }

  /**
   * Every event after the one with id `after` (without: from now on) of the given types (undefined: all), until the
   * signal aborts. A reset stands where events are missing: at the beginning when what follows `after` is no longer known
   * (it may be an id of another controller), later when the reader is too slow or this process missed something.
   */
  async *follow(
    after: string | undefined,
    types: ReadonlySet<EventType> | undefined,
    signal: AbortSignal,
  ): AsyncGenerator<LogEntry> {
    let cursor = after === undefined ? this.#next : this.#positionAfter(after);
    while (!signal.aborted) {
      const oldest = Math.max(this.#floor, this.#next - this.#capacity);
      if (cursor === undefined || cursor < oldest) {
        const reason = cursor !== undefined && cursor < this.#floor ? this.#gap : FORGOTTEN;
        cursor = this.#next;
        yield { kind: 'reset', id: this.#id(cursor - 1), reason };
      } else if (cursor < this.#next) {
        const event = this.#ring[cursor % this.#capacity];
        cursor += 1;
        if (event !== undefined && (types?.has(event.type) ?? true))
          yield { kind: 'event', id: this.#id(cursor - 1), event };
      } else {
        await once(this.#wake, 'event', { signal }).catch(() => undefined);
      }
    }
  }

  #id(position: number): string {
    return `${this.#stream}-${String(position)}`;
  }

  #positionAfter(id: string): number | undefined {
    const match = /^(.+)-(\d{1,15})$/.exec(id);
    const position = Number(match?.[2]) + 1;
    return match?.[1] === this.#stream && position <= this.#next ? position : undefined;
  }
}
