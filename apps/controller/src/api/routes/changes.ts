import { Type } from 'typebox';
import {
  ChangeDetail,
  ChangeEntry,
  linkId,
  nodeId,
  object,
  pageOf,
  pageQuery,
  revision,
  text,
  timestamp,
} from '@waymark/http-contract';
import type { Services } from '../../model/ports.js';
import { pageReply, pageRequest } from '../cursor.js';
import { json, problems, readProblems, words } from '../operation.js';
import { withTimes } from '../time.js';
import type { ApiApp } from '../type-provider.js';

const listing = { name: 'changes', keyPattern: /^\d{1,16}$/ };
const ChangePage = pageOf('ChangePage', 'A page of the change log.', ChangeEntry);

export function changeRoutes(app: ApiApp, { topology }: Services): void {
  app.get(
    '/v1/topology/changes',
    {
      schema: {
        ...words('Topology', 'listChanges', 'List the change log', 'Every revision: who, when, what. Newest first.'),
        querystring: object(undefined, 'Page and filters; several filters must all match.', {
          ...pageQuery,
          kind: Type.Optional(text('Only changes of this kind.', 100, ['topology-import'])),
          actor: Type.Optional(text('Only changes that this actor made.', 255, ['alice'])),
          since: Type.Optional(timestamp('Only changes committed at this time or later.')),
          until: Type.Optional(timestamp('Only changes committed before this time.')),
          node: Type.Optional(nodeId('Only changes of this node: its attributes, locators or SIDs.')),
          link: Type.Optional(linkId('Only changes of this directed link.')),
        }),
        response: { 200: json(ChangePage, 'A page of changes.'), ...problems(...readProblems) },
      },
    },
    async (request) => {
      const { filter, page } = pageRequest(listing, request.query);
      return pageReply(listing, await topology.changes(withTimes(filter), page));
    },
  );

  app.get(
    '/v1/topology/changes/:revision',
    {
      schema: {
        ...words('Topology', 'getChange', 'Get one change', 'With everything it changed, before and after.'),
        params: object(undefined, 'Which change.', {
          revision: Type.Integer({ ...revision('Revision of the change.'), examples: [1] }),
        }),
        response: {
          200: json(ChangeDetail, 'The change.'),
          ...problems(...readProblems, 'not-found', 'revision-pruned'),
        },
      },
    },
    (request) => topology.change(request.params.revision),
  );
}
