import { Type } from 'typebox';
import { flag, object, text } from './scalars.js';

export const Health = object(
  'Health',
  'Whether the controller lives and is ready, check by check.',
  {
    live: flag('The process works.'),
    ready: flag('It can serve requests.'),
    checks: Type.Record(
      Type.String({ maxLength: 100 }),
      object('HealthCheck', 'One check.', { ok: flag('It passed.'), detail: text('What was found.', 4000) }),
      { description: 'Checks by name.' },
    ),
  },
  [{ live: true, ready: true, checks: { database: { ok: true, detail: 'answers in 1 ms' } } }],
);
