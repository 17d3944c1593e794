import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { OutcomeUnknown } from '../../../apps/controller/src/model/outage.js';
import { unhandledLines } from './logs.js';

function logged(write: (log: pino.Logger) => void): readonly string[] {
  let output = '';
  write(pino({}, { write: (line) => (output += line) }));
  return unhandledLines(output);
}

describe('a line of a log', () => {
  const away = new Error('Connection terminated unexpectedly');

  it.each([
    ['the database is away', away],
    ['the database went away during a commit', new OutcomeUnknown(away)],
    ['a code says that it is away', Object.assign(new Error('no'), { code: 'ECONNREFUSED' })],
  ])('that says that %s is expected', (_, err) => {
    expect(logged((log) => log.error({ err }, 'the desired state cannot be read'))).toEqual([]);
  });

  it('with any other error is not, nor what Node prints, nor an end for another reason', () => {
    expect(logged((log) => log.error({ err: new TypeError('x is not a function') }, 'it failed'))).toHaveLength(1);
    expect(logged((log) => log.fatal('a port is taken'))).toHaveLength(1);
    expect(unhandledLines('(node:1) MaxListenersExceededWarning\n')).toHaveLength(1);
  });

  it('may say that the database cannot be used: whoever runs the controller starts it again', () => {
    for (const why of ['does not answer: ECONNREFUSED', 'was migrated by a newer version of the controller (0099_x)']) {
      expect(logged((log) => log.fatal(`the database of DATABASE_URL ${why}`))).toEqual([]);
    }
  });
});
