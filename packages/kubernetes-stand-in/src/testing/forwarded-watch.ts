import type { IncomingMessage, ServerResponse } from 'node:http';
import { createInterface } from 'node:readline';
import type { RequestInfo } from '../http/request-info.js';
import { expired } from '../model/api-error.js';

/** As a server ends a watch from a version that it has forgotten. */
export const expiredEvent = `${JSON.stringify({ type: 'ERROR', object: expired(1, 2).status })}\n`;

/** A watch that a real server answers, event by event. */
export class ForwardedWatch {
  readonly info: RequestInfo;
  readonly #response: ServerResponse;
  isEnding = false;
  #held: string[] | undefined;

  constructor(info: RequestInfo, answer: IncomingMessage, response: ServerResponse) {
    this.info = info;
    this.#response = response;
    answer.on('error', () => this.break());
    createInterface({ input: answer })
      .on('line', (line) => this.write(`${line}\n`))
      .on('close', () => this.end());
  }

  write(text: string): void {
    if (this.isEnding) return;
    if (this.#held === undefined) this.#response.write(text);
    else this.#held.push(text);
  }

  stall(): void {
    this.#held ??= [];
  }

  resume(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const text of held) this.#response.write(text);
    if (this.isEnding) this.#response.end();
  }

  expire(): void {
    this.write(expiredEvent);
    this.end();
  }

  /** Breaks the connection. */
  break(): void {
    this.#response.destroy();
  }

  /** Ends it as when its time is over. */
  end(): void {
    this.isEnding = true;
    if (this.#held === undefined) this.#response.end();
  }
}
