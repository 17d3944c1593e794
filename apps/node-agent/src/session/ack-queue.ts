import { Outcome, type Ack, type AckReceipt } from '@waymark/agent-protocol';
import type { PolicyOutcome, ReconcileReport } from './ports.js';

/** Outcomes of one ack; longer reports go out in parts, so that no message nears the limit of gRPC. */
const OUTCOMES_PER_ACK = 2_000;
/** Longest reason that is sent, in characters. */
const REASON_LENGTH = 300;

interface Sent {
  readonly ack: Ack;
  readonly outcomes: readonly PolicyOutcome[];
}

/**
 * What the controller must still learn of the data plane. Outcomes stay until a receipt says that they are stored. An ack
 * is sent once on a stream, which loses nothing while it lasts: a slow controller needs time, not more acks.
 */
export interface AckQueue {
  /** The last outcome of each policy that is wanted, told or not. */
  readonly known: ReadonlyMap<string, PolicyOutcome>;
  readonly pending: ReadonlyMap<string, PolicyOutcome>;
  readonly report: ReconcileReport | null;
  /** The newest report, even without outcomes, has not gone out. */
  readonly unsent: boolean;
  /** At most one ack is under way. */
  readonly sent: Sent | null;
  /** Of the last ack. */
  readonly sequence: number;
}

export const emptyAckQueue: AckQueue = {
  known: new Map(),
  pending: new Map(),
  report: null,
  unsent: false,
  sent: null,
  sequence: 0,
};

export function withReport(queue: AckQueue, report: ReconcileReport): AckQueue {
  const known = new Map(queue.known);
  const pending = new Map(queue.pending);
  for (const outcome of report.outcomes) {
    pending.set(outcome.policyId, outcome);
    if (outcome.outcome === 'removed') known.delete(outcome.policyId);
    else known.set(outcome.policyId, outcome);
  }
  return { ...queue, known, pending, report, unsent: true };
}

/**
 * A session begins: all is told again. The controller's database may have been restored from a backup that had not heard
 * of it.
 */
export function withWelcome(queue: AckQueue): AckQueue {
  return { ...queue, pending: new Map([...queue.known, ...queue.pending]), unsent: queue.report !== null, sent: null };
}

/** The receipt of the ack under way; any other is ignored. */
export function withReceipt(queue: AckQueue, receipt: AckReceipt): AckQueue {
  const { sent } = queue;
  if (sent?.ack.sequence !== receipt.sequence) return queue;
  const pending = new Map(queue.pending);
  for (const outcome of sent.outcomes) {
    if (pending.get(outcome.policyId) === outcome) pending.delete(outcome.policyId);
  }
  return { ...queue, pending, sent: null };
}

/** The stream is gone: whatever was under way goes out again on the next one. */
export function withoutLink(queue: AckQueue): AckQueue {
  return { ...queue, unsent: queue.unsent || queue.sent !== null, sent: null };
}

/** The ack to send now, if one is due and none is under way. */
export function nextAck(queue: AckQueue): { readonly queue: AckQueue; readonly ack: Ack } | undefined {
  const { report } = queue;
  if (report === null || queue.sent !== null || (!queue.unsent && queue.pending.size === 0)) return undefined;
  const outcomes = [...queue.pending.values()].slice(0, OUTCOMES_PER_ACK);
  const sequence = queue.sequence + 1;
  const ack: Ack = {
    sequence,
    epoch: report.epoch,
    generation: report.generation,
    outcomes: outcomes.map(({ policyId, generation, outcome, reason }) => ({
      policyId,
      generation,
      outcome: wireOutcome[outcome],
      reason: reason.slice(0, REASON_LENGTH),
    })),
    readBackHash: report.readBackHash,
    more: outcomes.length < queue.pending.size,
  };
  return { queue: { ...queue, unsent: false, sent: { ack, outcomes }, sequence }, ack };
}

const wireOutcome: Readonly<Record<PolicyOutcome['outcome'], Outcome>> = {
  installed: Outcome.INSTALLED,
  simulated: Outcome.SIMULATED,
  failed: Outcome.FAILED,
  removed: Outcome.REMOVED,
};
