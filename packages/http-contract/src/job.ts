import { Type, type TProperties } from 'typebox';
import { revision, timestamp } from './identifiers.js';
import { choice, integer, maxUint32, nullable, object, text, token } from './scalars.js';

/** Id of a job: the client's choice. */
export function jobId(description: string, example: string) {
  return token(description, '^[A-Za-z0-9._-]{1,63}$', 63, [example]);
}

/** What every job shows of itself. `outcomes`: the words under which its items are counted; `more`: what only this kind shows. */
export function jobView<More extends TProperties>(
  title: string,
  description: string,
  { example, outcomes }: { readonly example: string; readonly outcomes: readonly string[] },
  more: More,
) {
  const counts = Object.fromEntries(
    outcomes.map((outcome) => [outcome, Type.Optional(integer(`Items so far with the outcome \`${outcome}\`.`))]),
  );
  return object(title, description, {
    id: jobId('Its id, as it was asked for.', example),
    controller: text(
      'Name of the controller that holds it: no other knows it, nor does this one after a restart.',
      255,
      ['controller-1'],
    ),
    status: choice('`queued` until fewer others run. `failed`: `failure` says why; what is available can be read.', [
      'queued',
      'running',
      'done',
      'failed',
    ]),
    revision: revision('TED revision that all its items hold for.'),
    progress: object(undefined, 'How far it is.', {
      done: integer('Items that are computed.', { maximum: maxUint32 }),
      total: integer('Items that there will be.', { maximum: maxUint32 }),
    }),
    available: integer('Items that can be read already: the first so many.', { maximum: maxUint32 }),
    counts: object(undefined, 'Items so far, by outcome; outcomes that none has are left out.', counts),
    createdAt: timestamp('When it was asked for.'),
    startedAt: nullable(timestamp('When it began.'), 'When it began; null while it is queued.'),
    finishedAt: nullable(timestamp('When it ended.'), 'When it ended; null before. An hour later it is forgotten.'),
    failure: nullable(text('One sentence for an operator.', 4000), 'What it failed of; null unless it did.'),
    ...more,
  });
}
