import { Type } from 'typebox';
import { timestamp } from './identifiers.js';
import { choice, integer, list, nullable, object, text, token } from './scalars.js';

export function apiKeyName(description = 'Name of an API key.') {
  return token(description, '^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$', 63, ['grafana']);
}

export function role(description: string) {
  return choice(`${description} Each may do what those before it may.`, ['viewer', 'operator', 'admin']);
}

function operations(description: string) {
  return list(
    description,
    token('An operation id of this document.', '^[a-z][A-Za-z]{0,63}$', 64, ['getMetrics']),
    100,
    {
      minItems: 1,
      uniqueItems: true,
    },
  );
}

export const ApiKeyRequest = object(
  'ApiKeyRequest',
  'An API key to be made.',
  {
    name: apiKeyName(
      'Names whoever uses it, in the change log too. `anonymous`, `admin-key`, `demo` and `mesh` are taken.',
    ),
    role: role('What it may do.'),
    operations: Type.Optional(
      operations('Only these operations, each of which the role must allow; all that it allows without.'),
    ),
    expiresAt: Type.Optional(timestamp('From then on it is refused; without it never.')),
  },
  [
    { name: 'grafana', role: 'viewer', operations: ['getMetrics'] },
    { name: 'alice', role: 'operator', expiresAt: '2999-12-31T00:00:00Z' },
  ],
);

export const ApiKeyRotation = object(
  'ApiKeyRotation',
  'How an API key is rotated.',
  {
    graceSeconds: Type.Optional(
      integer('How long the key that was in use stays good beside the new one. A day by default; 0: not at all.', {
        maximum: 2_592_000,
        default: 86_400,
        examples: [86_400],
      }),
    ),
    expiresAt: Type.Optional(
      nullable(timestamp('A time.'), 'When the new one expires; null: never. Without it, as before.'),
    ),
  },
  [{ graceSeconds: 3600 }],
);

export const ApiKeyView = object('ApiKey', 'An API key, without its secret.', {
  name: apiKeyName('Its name.'),
  prefix: token('How the key begins: tells which one a client has.', '^wmk_[0-9a-f]{16}$', 20, [
    'wmk_0123456789abcdef',
  ]),
  role: role('What it may do.'),
  operations: nullable(operations('Some operations.'), 'The only operations that it may use; null: all of its role.'),
  createdAt: timestamp('When it was made.'),
  createdBy: text('Who made it.'),
  expiresAt: nullable(timestamp('A time.'), 'From then on it is refused; null: never.'),
  rotatedAt: nullable(timestamp('A time.'), 'When it was last rotated; null: never.'),
  previousValidUntil: nullable(
    timestamp('A time.'),
    'Until when the key before the rotation is good; null: there is none.',
  ),
  lastUsedAt: nullable(timestamp('A time.'), 'When it was last used, to the minute; null: never.'),
});

export const IssuedApiKey = object('IssuedApiKey', 'A new API key. It is shown this once and kept nowhere.', {
  key: ApiKeyView,
  secret: token('What to send: `Authorization: Bearer …`.', '^wmk_[0-9a-f]{16}_[A-Za-z0-9_-]{43}$', 64, [
    `wmk_0123456789abcdef_${'x'.repeat(43)}`,
  ]),
});
