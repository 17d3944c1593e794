import { expect, it } from 'vitest';
import { eventually } from '../testing/eventually.js';
import { Gate, LineFull } from './gate.js';

const forEver = new AbortController().signal;

/** Work that goes on until it is told to end, and notes when it begins. */
function work() {
  const begun: string[] = [];
  const ends = new Map<string, () => void>();
  return {
    begun,
    end: (name: string) => ends.get(name)?.(),
    of: (name: string) => () => {
      begun.push(name);
      return new Promise<void>((resolve) => ends.set(name, resolve));
    },
  };
}

it('lets so many in, and the others in their order', async () => {
  const gate = new Gate(2, 10);
  const { begun, end, of } = work();
  const passes = ['a', 'b', 'c', 'd'].map((name) => gate.pass(of(name), forEver));
  expect([begun, gate.inside, gate.waiting]).toEqual([['a', 'b'], 2, 2]);
  end('b');
  await eventually(() => expect(begun).toEqual(['a', 'b', 'c']));
  end('a');
  await eventually(() => expect(begun).toEqual(['a', 'b', 'c', 'd']));
  end('c');
  end('d');
  await Promise.all(passes);
  expect([gate.inside, gate.waiting]).toEqual([0, 0]);
});

it('turns away who finds the line full', async () => {
  const gate = new Gate(1, 1);
  const { begun, end, of } = work();
  const passes = ['a', 'b'].map((name) => gate.pass(of(name), forEver));
  await expect(gate.pass(of('c'), forEver)).rejects.toBeInstanceOf(LineFull);
  end('a');
  await eventually(() => expect(begun).toEqual(['a', 'b']));
  end('b');
  await Promise.all(passes);
});

it('forgets who leaves the line, and gives nobody else his place', async () => {
  const gate = new Gate(1, 1);
  const { begun, end, of } = work();
  const first = gate.pass(of('a'), forEver);
  const leave = new AbortController();
  const left = gate.pass(of('b'), leave.signal);
  leave.abort(new Error('gone'));
  await expect(left).rejects.toThrow('gone');
  await expect(gate.pass(of('late'), leave.signal)).rejects.toThrow('gone');
  const next = gate.pass(of('c'), forEver);
  end('a');
  await first;
  await eventually(() => expect(begun).toEqual(['a', 'c']));
  end('c');
  await next;
  expect([gate.inside, gate.waiting]).toEqual([0, 0]);
});

it('gives the place on when work fails', async () => {
  const gate = new Gate(1, 1);
  const failed = gate.pass(() => Promise.reject(new Error('no')), forEver);
  const next = gate.pass(() => Promise.resolve('yes'), forEver);
  await expect(failed).rejects.toThrow('no');
  expect(await next).toBe('yes');
});
