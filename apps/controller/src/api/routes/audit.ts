import { Type } from 'typebox';
import {
  AuditEntry,
  auditedEntity,
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

const listing = { name: 'audit', keyPattern: /^\d{1,16}$/ };
const AuditPage = pageOf('AuditPage', 'A page of the audit.', AuditEntry);

export function auditRoutes(app: ApiApp, services: Services): void {
  app.get(
    '/v1/audit',
    {
      schema: {
        ...words(
          'Access',
          'listAudit',
          'Who changed what, from what to what',
          'Policies, meshes, constraints, confirmed SIDs, imports and releases of sources, and API keys: one entry for each ' +
            'thing that a change was about, written with it. Newest first. What sources and agents report is in the change log.',
        ),
        querystring: object(undefined, 'Page and filters; several filters must all match.', {
          ...pageQuery,
          entity: Type.Optional(auditedEntity('Only changes of things of this kind.')),
          entityId: Type.Optional(text('Only changes of the thing with this id.', 1000, ['dc-london:100:dc-athens'])),
          actor: Type.Optional(text('Only changes that this actor made.', 255, ['alice'])),
          kind: Type.Optional(text('Only changes of this kind.', 100, ['policy-replace'])),
          requestId: Type.Optional(text('Only changes of the request with this id.', 100)),
          revision: Type.Optional(revision('Only changes of this revision.')),
          since: Type.Optional(timestamp('Only changes at this time or later.')),
          until: Type.Optional(timestamp('Only changes before this time.')),
        }),
        response: { 200: json(AuditPage, 'A page of entries.'), ...problems(...readProblems) },
      },
    },
    async (request) => {
      const { filter, page } = pageRequest(listing, request.query);
      return pageReply(listing, await services.audit.entries(withTimes(filter), page));
    },
  );
}
