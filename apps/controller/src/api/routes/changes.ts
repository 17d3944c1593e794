import { Type } from 'typebox';
import { ChangeDetail, ChangeEntry, object, pageOf, pageQuery, revision } from '@waymark/http-contract';
import type { Services } from '../../model/ports.js';
import { pageReply, pageRequest } from '../cursor.js';
import { json, problems, readProblems, words } from '../operation.js';
import type { ApiApp } from '../type-provider.js';

const listing = { name: 'changes', keyPattern: /^\d{1,16}$/ };
const ChangePage = pageOf('ChangePage', 'A page of the change log.', ChangeEntry);

export function changeRoutes(app: ApiApp, { topology }: Services): void {
  app.get(
    '/v1/topology/changes',
    {
      schema: {
        ...words('Topology', 'listChanges', 'List the change log', 'Every revision: who, when, what. Newest first.'),
        querystring: object(undefined, 'Page.', pageQuery),
        response: { 200: json(ChangePage, 'A page of changes.'), ...problems(...readProblems) },
      },
    },
    async (request) => pageReply(listing, await topology.changes(pageRequest(listing, request.query).page)),
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
