import { Type, type Static } from 'typebox';
import { integer, list, object, text, token } from './scalars.js';

/** RFC 9457 problem document: the body of every response that is not a success. */
export const ProblemDocument = object(
  'Problem',
  'RFC 9457 problem document. Every error of the API has this shape.',
  {
    type: token(
      'Identifies the kind of problem: `urn:waymark:problem:` and the code.',
      '^urn:waymark:problem:[a-z0-9-]+$',
      100,
      ['urn:waymark:problem:request-invalid'],
    ),
    title: text('The kind of problem in a few words; the same for every occurrence.'),
    status: integer('HTTP status.', { minimum: 400, maximum: 599, examples: [400] }),
    detail: text('What is wrong here, with the offending value.', 4000),
    code: token('Stable word for programs; docs/errors.md lists all.', '^[a-z0-9-]+$', 80, ['request-invalid']),
    remedy: text('What to do about it.', 1000),
    requestId: text('Id of this request in the log of the controller.', 100),
    field: Type.Optional(
      text('JSON pointer into the body, or the name of a parameter or header.', 1000, ['/constraints/bounds/0']),
    ),
    errors: Type.Optional(
      list(
        'Every single thing that is wrong, when there is more than one.',
        object(undefined, 'One thing that is wrong.', {
          field: text('JSON pointer into the body, or the name of a parameter or header.', 1000),
          detail: text('What is wrong with it.', 4000),
        }),
        10_000,
      ),
    ),
    retryAfterSeconds: Type.Optional(
      integer('When to try again, in seconds; also in the Retry-After header.', { maximum: 3600 }),
    ),
  },
  [
    {
      type: 'urn:waymark:problem:node-unknown',
      title: 'A named node is not in the topology',
      status: 422,
      detail: 'the source "atlantis" is not in the topology',
      code: 'node-unknown',
      remedy: 'Use an id from GET /v1/nodes.',
      requestId: 'req-7',
      field: '/source',
    },
  ],
);
export type ProblemDocument = Static<typeof ProblemDocument>;
