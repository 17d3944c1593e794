import { Type } from 'typebox';
import { revision, timestamp } from './identifiers.js';
import { choice, integer, nullable, object, text } from './scalars.js';

export function auditedEntity(description: string) {
  return choice(description, [
    'sr-policy',
    'mesh',
    'link-constraints',
    'node-constraints',
    'planned-sids',
    'source',
    'agent',
    'api-key',
    'audit',
  ]);
}

const content = Type.Record(Type.String({ maxLength: 255 }), Type.Unknown({ description: 'As the API shows it.' }), {
  description: 'What was asked for.',
});

export const AuditEntry = object(
  'AuditEntry',
  'One change of one thing that operators, objects of Kubernetes clusters or the settings of the controller ask for.',
  {
    id: integer('Grows with each entry.', { examples: [12] }),
    at: timestamp('When it was written.'),
    revision: revision('Revision of the change; what it did to the topology is in its entry of the change log.'),
    actor: text('Who made it: as in the change log.'),
    credential: nullable(
      text('Credential.', 255, ['api-key:wmk_0123456789abcdef']),
      'How the request was recognised: `anonymous`, `admin-key`, `api-key:` with the prefix of the key or `oidc:` with the ' +
        'issuer; null: it came from elsewhere than the API.',
    ),
    requestId: nullable(text('Request.', 100), 'Id of the request, as in its answer; null without one.'),
    owner: nullable(
      text('Object.', 1000, ['kubernetes:paris/SRPolicy/backup']),
      'The object of a Kubernetes cluster on whose behalf it was made; null: of none.',
    ),
    kind: text('Kind of change: as in the change log.', 100, ['policy-replace']),
    entity: auditedEntity('Kind of thing.'),
    entityId: text('Its id.', 1000, ['dc-london:100:dc-athens']),
    before: nullable(content, 'As it was; null: there was none.'),
    after: nullable(content, 'As it is since; null: there is none any more.'),
  },
);
