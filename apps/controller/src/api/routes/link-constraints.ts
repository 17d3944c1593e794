import { Type } from 'typebox';
import {
  BulkLinkConstraints,
  BulkResult,
  LinkConstraints,
  LinkSettings,
  adminState,
  choice,
  linkId,
  nodeId,
  object,
  pageOf,
  pageQuery,
} from '@waymark/http-contract';
import { Problem } from '../../model/errors.js';
import type { Services } from '../../model/ports.js';
import type { Actor, LinkConstraints as Constraints } from '../../model/topology.js';
import { actorOf } from '../actor.js';
import { pageReply, pageRequest } from '../cursor.js';
import { etagOf, expectedVersion } from '../etag.js';
import {
  bodyProblems,
  editProblems,
  empty,
  ifMatchHeader,
  json,
  mergePatch,
  problems,
  readProblems,
  tagged,
  words,
} from '../operation.js';
import type { ApiApp } from '../type-provider.js';
import { linkKeyPattern } from './links.js';

const listing = { name: 'link-constraints', keyPattern: linkKeyPattern };
const LinkSettingsPage = pageOf('LinkSettingsPage', 'A page of links with operator settings.', LinkSettings);
const params = object(undefined, 'Which link.', { id: linkId() });
const url = '/v1/links/:id/constraints';
const attributes = Object.keys(LinkConstraints.properties) as (keyof Constraints)[];

const examples = {
  drain: { summary: 'Drain the link: nothing new, and policies move away', value: { adminState: 'drained' } },
  delay: { summary: 'A known delay, in microseconds', value: { delayUs: 25_000 } },
  affinity: { summary: 'Name an affinity and a shared risk', value: { affinities: ['submarine'], srlgs: [102] } },
};

const bulkExamples = {
  drainBothDirections: {
    summary: 'Drain both directions of an adjacency',
    value: {
      mode: 'patch',
      changes: [
        { link: 'UK:FR', constraints: { adminState: 'drained' } },
        { link: 'FR:UK', constraints: { adminState: 'drained' } },
      ],
    },
  },
};

interface Edit {
  readonly link: string;
  readonly constraints: Constraints;
  readonly mode: 'replace' | 'patch';
  readonly ifMatch: string | undefined;
  readonly actor: Actor;
}

export function linkConstraintRoutes(app: ApiApp, { topology }: Services): void {
  async function edit({ link, constraints, mode, ifMatch, actor }: Edit) {
    const ifVersion = await expectedVersion(ifMatch, async () => (await topology.linkConstraints(link)).version);
    const { settings } = await topology
      .setLinkConstraints({ changes: [{ link, constraints, ifVersion }], mode, actor })
      .catch(asOfOneLink);
    const [only] = settings;
    if (only === undefined) throw new Error(`no settings came back for link ${link}`);
    return only;
  }

  app.get(
    '/v1/link-constraints',
    {
      schema: {
        ...words('Constraints', 'listLinkConstraints', 'List constrained links', 'Every link with operator settings.'),
        querystring: object(undefined, 'Page and filters; several filters must all match.', {
          ...pageQuery,
          node: Type.Optional(nodeId('Only links that start or end at this node.')),
          from: Type.Optional(nodeId('Only links that start at this node.')),
          to: Type.Optional(nodeId('Only links that end at this node.')),
          adminState: Type.Optional(adminState('Only links that operators have set to this admin state.')),
          sets: Type.Optional(choice('Only links for which this is set.', attributes, ['delayUs'])),
        }),
        response: { 200: json(LinkSettingsPage, 'A page of settings, by link id.'), ...problems(...readProblems) },
      },
    },
    async (request) => {
      const { filter, page } = pageRequest(listing, request.query);
      return pageReply(listing, await topology.allLinkConstraints(filter, page));
    },
  );

  app.post(
    '/v1/link-constraints/bulk',
    {
      bodyLimit: 16_777_216,
      config: { isLarge: true, document: { examples: bulkExamples } },
      schema: {
        ...words(
          'Constraints',
          'setManyLinkConstraints',
          'Constrain many links at once',
          'One transaction: every link is written or none. Idempotent: repeating it changes nothing.',
        ),
        body: BulkLinkConstraints,
        response: {
          200: json(BulkResult, 'The settings as written.'),
          ...problems(...bodyProblems, 'link-unknown', 'precondition-failed', 'affinity-overflow', 'owned-elsewhere'),
        },
      },
    },
    (request) => topology.setLinkConstraints({ ...request.body, actor: actorOf(request) }),
  );

  app.get(
    url,
    {
      schema: {
        ...words(
          'Constraints',
          'getLinkConstraints',
          'Get the constraints of a link',
          'Empty, with version 0, when nothing is set.',
        ),
        params,
        response: { 200: tagged(LinkSettings, 'The settings.'), ...problems(...readProblems, 'not-found') },
      },
    },
    async (request, reply) => {
      const settings = await topology.linkConstraints(request.params.id);
      return reply.header('etag', etagOf(settings.version)).send(settings);
    },
  );

  app.put(
    url,
    {
      config: { document: { headers: ifMatchHeader, examples } },
      schema: {
        ...words(
          'Constraints',
          'putLinkConstraints',
          'Set the constraints of a link',
          'Replaces all of them: what is not named is cleared.',
        ),
        params,
        body: LinkConstraints,
        response: {
          200: tagged(LinkSettings, 'The settings as written.'),
          ...problems(...editProblems, 'affinity-overflow', 'owned-elsewhere'),
        },
      },
    },
    async (request, reply) => {
      const settings = await edit({
        link: request.params.id,
        constraints: request.body,
        mode: 'replace',
        ifMatch: request.headers['if-match'],
        actor: actorOf(request),
      });
      return reply.header('etag', etagOf(settings.version)).send(settings);
    },
  );

  app.patch(
    url,
    {
      config: { document: { headers: ifMatchHeader, examples } },
      schema: {
        ...words(
          'Constraints',
          'patchLinkConstraints',
          'Change some constraints of a link',
          'JSON merge patch (RFC 7396): what is not named stays, null clears.',
        ),
        params,
        body: mergePatch(LinkConstraints),
        response: {
          200: tagged(LinkSettings, 'The settings as written.'),
          ...problems(...editProblems, 'affinity-overflow', 'owned-elsewhere'),
        },
      },
    },
    async (request, reply) => {
      const settings = await edit({
        link: request.params.id,
        constraints: request.body,
        mode: 'patch',
        ifMatch: request.headers['if-match'],
        actor: actorOf(request),
      });
      return reply.header('etag', etagOf(settings.version)).send(settings);
    },
  );

  app.delete(
    url,
    {
      config: { document: { headers: ifMatchHeader } },
      schema: {
        ...words(
          'Constraints',
          'clearLinkConstraints',
          'Clear the constraints of a link',
          'What was measured or discovered counts again.',
        ),
        params,
        response: { 204: empty('Cleared.'), ...problems(...editProblems, 'owned-elsewhere') },
      },
    },
    async (request, reply) => {
      await edit({
        link: request.params.id,
        constraints: {},
        mode: 'replace',
        ifMatch: request.headers['if-match'],
        actor: actorOf(request),
      });
      return reply.code(204).send(null);
    },
  );
}

/** The service speaks of the members of a bulk; here the one link is the resource, and its version came in a header. */
function asOfOneLink(error: unknown): never {
  if (!(error instanceof Problem)) throw error;
  const { detail } = error.info;
  if (error.code === 'link-unknown') throw new Problem('not-found', { detail });
  if (error.code === 'precondition-failed') throw new Problem('precondition-failed', { detail, field: 'If-Match' });
  throw error;
}
