import type { CrashReason } from './machine/crash.js';

/** Which request a fault hits: the n-th from now on (1 is the next) with this name, or of any name. */
export interface Aim {
  readonly request?: string;
  readonly nth?: number;
}

type RuleKind = 'drop-request' | 'drop-reply' | 'close-mid-reply' | 'crash-before' | 'crash-after';

interface Rule {
  readonly kind: RuleKind;
  readonly request: string | undefined;
  remaining: number;
}

/** What to do to one request. */
export interface Verdict {
  /** Neither executed nor answered. */
  readonly dropRequest: boolean;
  /** Executed; all its messages (details too) are lost. */
  readonly dropReply: boolean;
  /** Executed; half of its first message is sent and the socket closes. */
  readonly closeMidReply: boolean;
  readonly crash: 'before' | 'after' | undefined;
}

export const FAULT_CRASH: CrashReason = 'fault-injection';

/** Faults to inject. Each aimed one fires once; they may be armed together. */
export class Faults {
  /** Milliseconds by which every reply is late; their order stays. */
  replyDelayMs = 0;
  /** Writes single bytes. */
  splitWrites = false;
  readonly #rules: Rule[] = [];

  /** The request is lost: neither executed nor answered. */
  dropRequest(aim: Aim = {}): void {
    this.#arm('drop-request', aim);
  }

  /** The request is executed, and its reply (or all its details) is lost. */
  dropReply(aim: Aim = {}): void {
    this.#arm('drop-reply', aim);
  }

  /** The request is executed, half a reply is sent, then the socket closes. VPP lives on. */
  closeMidReply(aim: Aim = {}): void {
    this.#arm('close-mid-reply', aim);
  }

  /** VPP crashes when the request arrives, or when it has been executed and before the reply. */
  crash(when: 'before' | 'after', aim: Aim = {}): void {
    this.#arm(`crash-${when}`, aim);
  }

  clear(): void {
    this.replyDelayMs = 0;
    this.splitWrites = false;
    this.#rules.length = 0;
  }

  /** Counts the request against every armed fault. */
  judge(request: string): Verdict {
    const fired = new Set<RuleKind>();
    for (const rule of [...this.#rules]) {
      if (rule.request !== undefined && rule.request !== request) continue;
      rule.remaining -= 1;
      if (rule.remaining > 0) continue;
      fired.add(rule.kind);
      this.#rules.splice(this.#rules.indexOf(rule), 1);
    }
    return {
      dropRequest: fired.has('drop-request'),
      dropReply: fired.has('drop-reply'),
      closeMidReply: fired.has('close-mid-reply'),
      crash: fired.has('crash-before') ? 'before' : fired.has('crash-after') ? 'after' : undefined,
    };
  }

  #arm(kind: RuleKind, { request, nth = 1 }: Aim): void {
    this.#rules.push({ kind, request, remaining: nth });
  }
}
