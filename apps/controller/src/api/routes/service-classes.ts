import { Type } from 'typebox';
import { color, nodeId, object, pageOf, pageQuery, ServiceClassView } from '@waymark/http-contract';
import type { Services } from '../../model/ports.js';
import { pageReply, pageRequest } from '../cursor.js';
import { json, problems, readProblems, words } from '../operation.js';
import type { ApiApp } from '../type-provider.js';

const listing = { name: 'service-classes', keyPattern: /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}:[1-9][0-9]{0,9}$/ };
const ServiceClassPage = pageOf('ServiceClassPage', 'A page of service classes.', ServiceClassView);

export function serviceClassRoutes(app: ApiApp, { serviceClasses }: Services): void {
  app.get(
    '/v1/service-classes',
    {
      schema: {
        ...words(
          'SR policies',
          'listServiceClasses',
          'List service classes',
          'Which pods are in the service class of which color, by headend, and whether it has them. Labels waymark.dev/color of ' +
            'namespaces and pods say so, in clusters with serviceClasses.',
        ),
        querystring: object(undefined, 'Page and filters.', {
          ...pageQuery,
          headend: Type.Optional(nodeId('Only on this headend.')),
          color: Type.Optional(color('Only of this color.')),
        }),
        response: {
          200: json(ServiceClassPage, 'A page of service classes, by headend and color.'),
          ...problems(...readProblems),
        },
      },
    },
    async (request) => {
      const { filter, page } = pageRequest(listing, request.query);
      return pageReply(listing, await serviceClasses.serviceClasses(filter, page));
    },
  );
}
