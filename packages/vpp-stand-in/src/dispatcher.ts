import type { Client, Clients } from './clients.js';
import type { Execution } from './execution.js';
import { FAULT_CRASH } from './faults.js';
import type { Faults, Verdict } from './faults.js';
import { frame } from './framing.js';
import { HANDSHAKE } from './handshake.js';
import type { Life } from './life.js';
import { VppCrash } from './machine/crash.js';
import type { CrashReason } from './machine/crash.js';
import { HANDLERS } from './messages/all.js';
import type { Fields, Reply } from './messages/handler.js';
import type { Counters, LoggedRequest, Outcome } from './request-log.js';

export interface Crash {
  readonly reason: CrashReason;
  readonly request: string;
}

interface Result {
  readonly outcome: Outcome;
  readonly executed: boolean;
  readonly fields?: Fields | undefined;
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
    const result = this.#process(life, clients, client, name, message);
    this.#record(life, client, name, message, result);
    return result.crash === undefined ? undefined : { reason: result.crash, request: name };
  }

  #process(life: Life, clients: Clients, client: Client, name: string, message: Buffer): Result {
    if (HANDSHAKE[name] === undefined && HANDLERS[name] === undefined)
      return { outcome: 'unknown-id', executed: false };
    const verdict = this.#faults.judge(name);
    if (verdict.dropRequest) return { outcome: 'dropped-request', executed: false };
    if (verdict.crash === 'before') return { outcome: 'crashed', executed: false, crash: FAULT_CRASH };

    const execution = this.#execute(life, clients, client, name, message);
    const { fields } = execution;
    if (execution.kind === 'refused') return { outcome: execution.outcome, executed: false, fields };
    if (execution.kind === 'died') return { outcome: 'crashed', executed: true, fields, crash: execution.reason };
    if (verdict.crash === 'after') return { outcome: 'crashed', executed: true, fields, crash: FAULT_CRASH };
    if (name === 'sockclnt_create') this.#handshakes += 1;
    return { outcome: send(life, execution, verdict), executed: true, fields, retval: execution.retval };
  }

  #execute(life: Life, clients: Clients, client: Client, name: string, message: Buffer): Execution {
    const handler = HANDLERS[name];
    if (handler === undefined)
      return HANDSHAKE[name]?.(life, clients, client, message) ?? { kind: 'refused', outcome: 'unknown-id' };
    if (message.length < handler.size(message)) return { kind: 'refused', outcome: 'truncated' };
    // VPP answers to whom client_index names, whichever connection the request came on.
    const target = clients.find(message.readUInt32BE(2));
    const fields = this.#keepsLog ? handler.describe(message) : {};
    if (target === undefined && handler.asksForClientFirst === true)
      return { kind: 'refused', outcome: 'wrong-client', fields };
    try {
      const replies = handler.run(life.machine, message, life.identity);
      return { kind: 'executed', target, replies, fields, retval: retvalOf(replies) };
    } catch (error) {
      if (error instanceof VppCrash) return { kind: 'died', reason: error.reason, fields };
      throw error;
    }
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

function send(life: Life, execution: Extract<Execution, { kind: 'executed' }>, verdict: Verdict): Outcome {
  const { target, replies, closes = false } = execution;
  if (target === undefined) return 'wrong-client';
  if (verdict.dropReply) return 'dropped-reply';
  const frames = replies.map((reply) => encode(life, reply));
  if (verdict.closeMidReply) {
    const whole = frames[0] ?? Buffer.alloc(0);
    target.output.sendAndClose(whole.subarray(0, whole.length >> 1));
    return 'closed-mid-reply';
  }
  for (const each of frames) {
    if (closes) target.output.sendAndClose(each);
    else target.output.send(each);
  }
  return 'answered';
}

/** Writes the id of this life into the message, and frames it. */
function encode(life: Life, { name, message }: Reply): Buffer {
  message.writeUInt16BE(life.ids.idOf(name), 0);
  return frame(message);
}

function retvalOf(replies: readonly Reply[]): number | undefined {
  const [reply] = replies;
  return reply?.name.endsWith('_reply') === true ? reply.message.readInt32BE(6) : undefined;
}
