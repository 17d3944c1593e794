import { timestamp } from './identifiers.js';
import { choice, flag, integer, list, nullable, object, text } from './scalars.js';

const id = text('UUID of the process: two controllers may have been given one name.', 36, [
  'a3f1c2d4-5b6e-4f70-8192-a3b4c5d6e7f8',
]);
const name = text('Its name (WAYMARK_NAME).', 63, ['controller-a']);

const ControllerView = object('ControllerView', 'A controller, as it last told of itself.', {
  id,
  name,
  self: flag('It is the one that answers.'),
  state: choice('`silent`: it has not been heard of for some seconds, so it neither leads nor can be relied on.', [
    'leads',
    'follows',
    'silent',
  ]),
  version: text('Version of the controller.', 100),
  startedAt: timestamp('When it started.'),
  lastSeen: timestamp('When it last told of itself; it does so every two seconds.'),
  revision: integer('The newest revision that its view of the topology showed then.', { examples: [42] }),
  behindMs: integer('How old the oldest revision was that its view did not show then; 0: it showed all.', {
    examples: [0],
  }),
});

export const ControllerList = object('ControllerList', 'All controllers of the installation.', {
  epoch: integer('The newest epoch of leadership: it grows whenever another one takes over.', { examples: [7] }),
  leader: nullable(
    object(undefined, 'The leader.', { id, name, since: timestamp('When its epoch began.') }),
    'Who computes and publishes; null: nobody at present.',
  ),
  items: list('By name. Those that have been silent for a day are left out.', ControllerView, 1_000),
});
