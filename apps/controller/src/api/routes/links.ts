import type { LinkId } from '@waymark/topology';
import { Type } from 'typebox';
import {
  LinkView,
  adminState,
  affinity,
  linkId,
  nodeId,
  object,
  operationalState,
  pageOf,
  pageQuery,
  srlg,
} from '@waymark/http-contract';
import type { Services } from '../../model/ports.js';
import type { LinkView as TopologyLinkView } from '../../model/topology.js';
import { LOWEST_PRIORITY } from '../../model/sr-policy.js';
import { pageReply, pageRequest } from '../cursor.js';
import { json, problems, readProblems, words } from '../operation.js';
import type { ApiApp } from '../type-provider.js';

export const linkKeyPattern = /^[A-Za-z0-9._:-]{1,191}$/;
const listing = { name: 'links', keyPattern: linkKeyPattern };
const LinkPage = pageOf('LinkPage', 'A page of directed links.', LinkView);

export function linkRoutes(app: ApiApp, { topology, policies }: Services): void {
  app.get(
    '/v1/links',
    {
      schema: {
        ...words(
          'Topology',
          'listLinks',
          'List directed links',
          'Effective values, where each came from, what each layer says, and how much bandwidth SR policies have booked.',
        ),
        querystring: object(undefined, 'Page and filters; several filters must all match.', {
          ...pageQuery,
          node: Type.Optional(nodeId('Only links that start or end at this node.')),
          from: Type.Optional(nodeId('Only links that start at this node.')),
          to: Type.Optional(nodeId('Only links that end at this node.')),
          affinity: Type.Optional(affinity('Only links with this affinity.')),
          srlg: Type.Optional(srlg('Only links of this shared-risk link group.')),
          adminState: Type.Optional(adminState('Only links in this admin state.')),
          operationalState: Type.Optional(operationalState('Only links in this operational state.')),
        }),
        response: { 200: json(LinkPage, 'A page of links, by id.'), ...problems(...readProblems) },
      },
    },
    async (request) => {
      const { filter, page } = pageRequest(listing, request.query);
      const { items, next } = await topology.links(filter, page);
      const booked = await policies.booked(items.map(({ effective }) => effective.id));
      return pageReply(listing, { items: items.map((link) => withReservation(link, booked)), next });
    },
  );

  app.get(
    '/v1/links/:id',
    {
      schema: {
        ...words(
          'Topology',
          'getLink',
          'Get one directed link',
          'Effective values, where each came from, what each layer says, and how much bandwidth SR policies have booked.',
        ),
        params: object(undefined, 'Which link.', { id: linkId() }),
        response: { 200: json(LinkView, 'The link.'), ...problems(...readProblems, 'not-found') },
      },
    },
    async (request) => {
      const link = await topology.link(request.params.id);
      return withReservation(link, await policies.booked([link.effective.id]));
    },
  );
}

function withReservation(link: TopologyLinkView, booked: ReadonlyMap<LinkId, readonly number[]>) {
  const { id, reservableBandwidthBps, bandwidthBps } = link.effective;
  const byPriority = booked.get(id) ?? Array.from({ length: LOWEST_PRIORITY + 1 }, () => 0);
  const reservable = reservableBandwidthBps ?? bandwidthBps;
  let bookedBps = 0;
  const left: number[] = [];
  for (const bps of byPriority) {
    bookedBps += bps;
    if (reservable !== null) left.push(Math.max(0, reservable - bookedBps));
  }
  const reservation = {
    bookedBps,
    unreservedBps: left.at(-1) ?? null,
    unreservedBpsByPriority: reservable === null ? null : left,
  };
  return { ...link, reservation };
}
