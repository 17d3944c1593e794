import type { Client, Clients } from './clients.js';
import { FAULT_CRASH } from './faults.js';
import type { Faults, Verdict } from './faults.js';
import { frame } from './framing.js';
import { handshake } from './handshake.js';
import type { Life } from './life.js';
import { VppCrash } from './machine/crash.js';
import type { CrashReason } from './machine/crash.js';
import { HANDLERS } from './messages/all.js';
import type { Fields, Handler, Reply } from './messages/handler.js';
import type { Counters, LoggedRequest, Outcome } from './request-log.js';

export interface Crash {
  readonly reason: CrashReason;
  readonly request: string;
}

interface Result {
  readonly outcome: Outcome;
  readonly executed: boolean;
  readonly fields?: Fields;
  readonly retval?: number | undefined;
  readonly crash?: CrashReason;
}

/** Takes each message of each client to its handler, as VPP's main thread does: one after the other. */
export class Dispatcher {
  readonly log: LoggedRequest[] = [];
  readonly #faults: Faults;
  readonly #keepsLog: boolean;
  readonly #byRequest: Record<string, number> = {};
  #handshakes = 0;
  #requests = 0;
  #answered = 0;

  constructor(faults: Faults, keepsLog: boolean) {
    this.#faults = faults;
    this.#keepsLog = keepsLog;
  }

  counters(leakedDumps: number): Counters {
    return {
      handshakes: this.#handshakes,
      requests: this.#requests,
      answered: this.#answered,
      unanswered: this.#requests - this.#answered,
      leakedDumps,
      byRequest: { ...this.#byRequest },
    };
  }

  /** Executes and answers one message; returns the crash when VPP does not survive it. */
  handle(life: Life, clients: Clients, client: Client, message: Buffer): Crash | undefined {
    const name = message.length < 2 ? '' : (life.ids.nameOf(message.readUInt16BE(0)) ?? '');
    const result = this.#execute(life, clients, client, name, message);
    this.#record(life, client, name, message, result);
    return result.crash === undefined ? undefined : { reason: result.crash, request: name };
  }

  #execute(life: Life, clients: Clients, client: Client, name: string, message: Buffer): Result {
    const isHandshake = name === 'sockclnt_create' || name === 'sockclnt_delete';
    const handler = isHandshake ? undefined : HANDLERS[name];
    if (handler === undefined && !isHandshake) return { outcome: 'unknown-id', executed: false };
    const verdict = this.#faults.judge(name);
    if (verdict.dropRequest) return { outcome: 'dropped-request', executed: false };
    if (verdict.crash === 'before') return { outcome: 'crashed', executed: false, crash: FAULT_CRASH };
    if (handler !== undefined) return this.#call(life, clients, handler, message, verdict);
    if (name === 'sockclnt_create') this.#handshakes += 1;
    return handshake(life, clients, client, name, message);
  }

  #call(life: Life, clients: Clients, handler: Handler, message: Buffer, verdict: Verdict): Result {
    if (message.length < handler.size(message)) return { outcome: 'truncated', executed: false };
    // VPP answers to whom client_index names, whichever connection the request came on.
    const target = clients.find(message.readUInt32BE(2));
    const fields = this.#keepsLog ? handler.describe(message) : {};
    if (target === undefined && handler.asksForClientFirst === true)
      return { outcome: 'wrong-client', executed: false, fields };
    let replies: readonly Reply[];
    try {
      replies = handler.run(life.machine, message, life.identity);
    } catch (error) {
      if (error instanceof VppCrash) return { outcome: 'crashed', executed: true, fields, crash: error.reason };
      throw error;
    }
    if (verdict.crash === 'after') return { outcome: 'crashed', executed: true, fields, crash: FAULT_CRASH };
    const outcome = target === undefined ? 'wrong-client' : this.#answer(life, target, replies, verdict);
    return { outcome, executed: true, fields, retval: retvalOf(replies) };
  }

  #answer(life: Life, target: Client, replies: readonly Reply[], verdict: Verdict): Outcome {
    if (verdict.dropReply) return 'dropped-reply';
    if (verdict.closeMidReply) {
      const whole = replies[0] === undefined ? Buffer.alloc(0) : encode(life, replies[0]);
      target.output.sendAndClose(whole.subarray(0, whole.length >> 1));
      return 'closed-mid-reply';
    }
    for (const reply of replies) target.output.send(encode(life, reply));
    return 'answered';
  }

  #record(life: Life, client: Client, name: string, message: Buffer, result: Result): void {
    const sequence = this.#requests;
    this.#requests += 1;
    this.#byRequest[name] = (this.#byRequest[name] ?? 0) + 1;
    if (result.outcome === 'answered') this.#answered += 1;
    if (!this.#keepsLog) return;
    const { outcome, executed, fields = {}, retval } = result;
    const isCreate = name === 'sockclnt_create';
    const context = message.length < 10 ? 0 : message.readUInt32BE(isCreate ? 2 : 6);
    this.log.push({
      sequence,
      life: life.number,
      client: client.index,
      name,
      context,
      fields,
      outcome,
      executed,
      retval,
      message: Buffer.from(message),
    });
  }
}

/** Writes the id of this life into the message, and frames it. */
export function encode(life: Life, { name, message }: Reply): Buffer {
  message.writeUInt16BE(life.ids.idOf(name), 0);
  return frame(message);
}

function retvalOf(replies: readonly Reply[]): number | undefined {
  const [reply] = replies;
  return reply?.name.endsWith('_reply') === true ? reply.message.readInt32BE(6) : undefined;
}
