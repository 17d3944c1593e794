import fc from 'fast-check';
import { expect, test } from 'vitest';
import { VppCrash } from './machine/crash.js';
import { Machine } from './machine/machine.js';
import { MessageTable } from './message-table.js';
import { HANDLERS } from './messages/all.js';

const identity = { version: '', buildDate: '', pid: 1, apiJson: '[]', now: () => 0 };
const ids = new MessageTable(1);

test('every reply has its id in the table', () => {
  for (const name of Object.keys(HANDLERS)) {
    const answer = name.endsWith('_dump') ? name.replace(/_dump$/, '_details') : `${name}_reply`;
    expect([ids.idOf(name), ids.idOf(answer)]).toEqual([expect.any(Number), expect.any(Number)]);
  }
});

test('no bytes break the stand-in itself: they are served, too short, or kill VPP', () => {
  const request = fc.tuple(
    fc.constantFrom(...Object.keys(HANDLERS)),
    // Small values make requests that meet each other.
    fc.array(fc.oneof(fc.constant(0), fc.constant(1), fc.integer({ min: 0, max: 255 })), {
      minLength: 300,
      maxLength: 400,
    }),
  );
  let served = 0;
  fc.assert(
    fc.property(fc.array(request, { minLength: 5, maxLength: 20 }), (requests) => {
      const machine = new Machine([], []);
      for (const [name, bytes] of requests) {
        const handler = HANDLERS[name];
        const message = Buffer.from(bytes);
        if (handler === undefined || message.length < Math.max(10, handler.size(message))) continue;
        handler.describe(message);
        try {
          for (const reply of handler.run(machine, message, identity)) expect(ids.idOf(reply.name)).toBeGreaterThan(0);
          served += 1;
        } catch (error) {
          expect(error).toBeInstanceOf(VppCrash);
          return;
        }
      }
    }),
    { seed: 1, numRuns: 200 },
  );
  expect(served).toBeGreaterThan(500);
});
