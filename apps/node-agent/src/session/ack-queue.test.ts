import { Outcome, type Ack } from '@waymark/agent-protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  emptyAckQueue,
  nextAck,
  withoutLink,
  withReceipt,
  withReport,
  withWelcome,
  type AckQueue,
} from './ack-queue.js';
import type { PolicyOutcome } from './ports.js';

const readBackHash = new Uint8Array(32);

function reported(queue: AckQueue, generation: number, ...outcomes: PolicyOutcome[]): AckQueue {
  return withReport(queue, { epoch: 1, generation, outcomes, readBackHash });
}

function outcome(policyId: string, generation: number, result: PolicyOutcome['outcome'] = 'installed'): PolicyOutcome {
  return { policyId, generation, outcome: result, reason: '' };
}

/** Sends the next ack; the test fails when none is due. */
function send(queue: AckQueue): { queue: AckQueue; ack: Ack } {
  const next = nextAck(queue);
  if (next === undefined) throw new Error('no ack is due');
  return next;
}

describe('acks', () => {
  it('say nothing before the first report', () => {
    expect(nextAck(emptyAckQueue)).toBeUndefined();
  });

  it('carry a report once, also one without outcomes', () => {
    const { queue, ack } = send(reported(emptyAckQueue, 4));
    expect(ack).toMatchObject({ epoch: 1, generation: 4, outcomes: [], more: false });
    expect(nextAck(queue)).toBeUndefined();
    expect(nextAck(withReceipt(queue, ack))).toBeUndefined();
  });

  it('wait for the receipt of the one before, and then bring the newest outcomes', () => {
    const first = send(reported(emptyAckQueue, 1, outcome('a', 1), outcome('b', 1)));
    const later = reported(first.queue, 2, outcome('b', 2, 'failed'));
    expect(nextAck(later)).toBeUndefined();
    const second = send(withReceipt(later, first.ack));
    expect(second.ack.outcomes).toEqual([{ policyId: 'b', generation: 2, outcome: Outcome.FAILED, reason: '' }]);
    expect(nextAck(withReceipt(second.queue, second.ack))).toBeUndefined();
  });

  it('go out again when the stream breaks, and not before', () => {
    const { queue, ack } = send(reported(emptyAckQueue, 1, outcome('a', 1)));
    expect(nextAck(queue)).toBeUndefined();
    expect(send(withoutLink(queue)).ack.outcomes).toEqual(ack.outcomes);
  });

  it('tell a new session everything, whatever an older one was told', () => {
    const first = send(reported(emptyAckQueue, 1, outcome('a', 1), outcome('b', 1), outcome('c', 1)));
    const later = reported(withReceipt(first.queue, first.ack), 2, outcome('b', 2), outcome('c', 2, 'removed'));
    const second = send(later);
    const { ack } = send(withWelcome(withoutLink(withReceipt(second.queue, second.ack))));
    expect(ack).toMatchObject({ generation: 2, more: false });
    expect(ack.outcomes.map(({ policyId, generation }) => [policyId, generation])).toEqual([
      ['a', 1],
      ['b', 2],
    ]);
    expect(nextAck(withWelcome(emptyAckQueue))).toBeUndefined();
  });

  it('are not settled by the receipt of an ack from before', () => {
    const first = send(reported(emptyAckQueue, 1, outcome('a', 1)));
    const again = send(withoutLink(first.queue));
    expect(withReceipt(again.queue, first.ack).sent).not.toBeNull();
    expect(withReceipt(again.queue, again.ack).pending.size).toBe(0);
  });

  it('come in parts when there is much to say, the last of which says so', () => {
    const many = Array.from({ length: 5_000 }, (_, index) => outcome(`p${String(index)}`, 1));
    let queue = reported(emptyAckQueue, 1, ...many);
    const parts: Ack[] = [];
    for (let next = nextAck(queue); next !== undefined; next = nextAck(queue)) {
      parts.push(next.ack);
      queue = withReceipt(next.queue, next.ack);
    }
    expect(parts.map((part) => [part.outcomes.length, part.more])).toEqual([
      [2_000, true],
      [2_000, true],
      [1_000, false],
    ]);
  });

  it('tell the last outcome of every policy in the end, whatever is lost on the way', () => {
    const event = fc.oneof(
      fc.record({ kind: fc.constant('report' as const), policy: fc.constantFrom('a', 'b', 'c') }),
      fc.record({ kind: fc.constantFrom('send' as const, 'receipt', 'break', 'welcome') }),
    );
    fc.assert(
      fc.property(fc.array(event, { maxLength: 60 }), (events) => {
        const truth = new Map<string, number>();
        const told = new Map<string, number>();
        let queue = emptyAckQueue;
        let generation = 0;
        const deliver = (ack: Ack): void => ack.outcomes.forEach((one) => told.set(one.policyId, one.generation));
        for (const step of events) {
          if (step.kind === 'report') {
            generation++;
            truth.set(step.policy, generation);
            queue = reported(queue, generation, outcome(step.policy, generation));
          } else if (step.kind === 'send') {
            queue = nextAck(queue)?.queue ?? queue;
          } else if (step.kind === 'receipt') {
            const sent = queue.sent?.ack;
            if (sent !== undefined) {
              deliver(sent);
              queue = withReceipt(queue, sent);
            }
          } else {
            queue = step.kind === 'break' ? withoutLink(queue) : withWelcome(withoutLink(queue));
          }
        }
        queue = withoutLink(queue);
        for (let next = nextAck(queue); next !== undefined; next = nextAck(queue)) {
          deliver(next.ack);
          queue = withReceipt(next.queue, next.ack);
        }
        expect(told).toEqual(truth);
      }),
    );
  });
});
