import { expect, it } from 'vitest';
import { Gate } from './gate.js';

/** Work that notes its begin and end, and ends when told. */
function steps(gate: Gate, log: string[]) {
  return (name: string, isShared: boolean) => {
    let end = (): void => undefined;
    const ended = new Promise<void>((resolve) => (end = resolve));
    const passed = gate.pass(isShared, async () => {
      log.push(`${name} begins`);
      await ended;
      log.push(`${name} ends`);
    });
    return { passed, end };
  };
}

it('lets shared work overlap, and nothing else, in the order of arrival', async () => {
  const log: string[] = [];
  const start = steps(new Gate(), log);
  const all = [start('read 1', true), start('read 2', true), start('write', false), start('read 3', true)];
  for (const { end, passed } of all) {
    end();
    await passed;
  }
  expect(log).toEqual([
    ...['read 1 begins', 'read 2 begins', 'read 1 ends', 'read 2 ends'],
    ...['write begins', 'write ends', 'read 3 begins', 'read 3 ends'],
  ]);
});

it('goes on after work that fails', async () => {
  const gate = new Gate();
  await expect(gate.pass(false, () => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
  await expect(gate.pass(false, () => Promise.resolve('next'))).resolves.toBe('next');
});
