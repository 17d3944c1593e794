import { Type } from 'typebox';
import {
  PolicyDetours,
  SrPolicyIntent,
  SrPolicyView,
  choice,
  color,
  flag,
  linkId,
  meshId,
  nodeId,
  object,
  pageOf,
  pageQuery,
  policyId,
  policyLiveness,
} from '@waymark/http-contract';
import { Problem } from '../../model/errors.js';
import type { PolicyService, Services } from '../../model/ports.js';
import { actorOf } from '../actor.js';
import { asFailedPrecondition, createsOnly, etagOf, expectedVersion } from '../etag.js';
import { pageReply, pageRequest } from '../cursor.js';
import {
  bodyProblems,
  created,
  createOrReplaceHeaders,
  editProblems,
  empty,
  ifMatchHeader,
  json,
  problems,
  readProblems,
  tagged,
  type OperationId,
  words,
} from '../operation.js';
import type { ApiApp } from '../type-provider.js';

const listing = { name: 'sr-policies', keyPattern: /^[A-Za-z0-9._:-]{1,138}$/ };
const PolicyPage = pageOf('SrPolicyPage', 'A page of SR policies.', SrPolicyView);
const params = object(undefined, 'Which SR policy.', { id: policyId() });
const url = '/v1/sr-policies/:id';
const headers = ifMatchHeader;

const dynamic = (metric: string, constraints: object) => ({
  candidatePaths: [{ discriminator: 1, preference: 100, path: { kind: 'dynamic', metric, constraints } }],
  fallback: 'shortest-path',
});

const lowDelay = {
  summary: 'London to Athens over the path of lowest delay',
  value: { headend: 'dc-london', color: 100, endpoint: 'dc-athens', ...dynamic('delay', {}) },
};

const booked = (color: number) => ({
  summary: 'London to Athens with 2 Gbit/s booked on every link of the path',
  value: { headend: 'dc-london', color, endpoint: 'dc-athens', ...dynamic('delay', { bandwidthBps: 2_000_000_000 }) },
});

const important = {
  summary: 'The same for traffic that may take bandwidth from policies of lower priority',
  value: { ...booked(102).value, setupPriority: 2 },
};

const withStandby = {
  summary: 'The same with a standby that shares no router and no duct with it, or as little as possible',
  value: {
    headend: 'dc-london',
    color: 103,
    endpoint: 'dc-athens',
    candidatePaths: [
      {
        discriminator: 1,
        preference: 100,
        path: {
          kind: 'dynamic',
          metric: 'delay',
          constraints: {},
          standby: { disjoint: ['node', 'srlg'], mode: 'relaxed' },
        },
      },
    ],
    fallback: 'shortest-path',
  },
};

const intentProblems = [
  'already-exists',
  'node-unknown',
  'link-unknown',
  'prefix-claimed',
  'affinity-overflow',
] as const;

/** What an operator can tell a policy to do, besides changing its intent. */
const actions = {
  pin: {
    operationId: 'pinPolicy',
    summary: 'Pin an SR policy to its current lists',
    description: 'It keeps exactly these lists as long as they deliver.',
    run: (policies, ...args) => policies.pin(...args),
  },
  unpin: {
    operationId: 'unpinPolicy',
    summary: 'Let a pinned SR policy move again',
    description: 'It is computed anew at once.',
    run: (policies, ...args) => policies.unpin(...args),
  },
  'roll-back': {
    operationId: 'rollBackPolicy',
    summary: 'Return an SR policy to its previous lists',
    description: 'Those from before the last change; it is pinned to them. They are proved first.',
    run: (policies, ...args) => policies.rollBack(...args),
  },
} satisfies Record<
  string,
  {
    readonly operationId: OperationId;
    readonly summary: string;
    readonly description: string;
    readonly run: (
      policies: PolicyService,
      ...args: Parameters<PolicyService['pin']>
    ) => ReturnType<PolicyService['pin']>;
  }
>;

export function policyRoutes(app: ApiApp, { policies }: Services): void {
  const currentVersion = (id: string) => async () => (await policies.policy(id)).version;

  app.get(
    '/v1/sr-policies',
    {
      schema: {
        ...words('SR policies', 'listPolicies', 'List SR policies', 'Intent and state.'),
        querystring: object(undefined, 'Page and filters; several filters must all match.', {
          ...pageQuery,
          headend: Type.Optional(nodeId('Only policies of this headend.')),
          endpoint: Type.Optional(nodeId('Only policies to this endpoint.')),
          color: Type.Optional(color('Only policies of this color.')),
          mesh: Type.Optional(meshId('Only policies of this mesh.')),
          status: Type.Optional(choice('Only policies with this status.', ['up', 'fallback', 'down'])),
          install: Type.Optional(
            choice(
              'Only policies in this state of installation.',
              ['pending', 'installed', 'simulated', 'failed', 'none'],
              ['simulated'],
            ),
          ),
          pinned: Type.Optional(flag('Only policies that are pinned, or only those that are not.')),
          liveness: Type.Optional(
            policyLiveness('Only policies of which headends tell this; after a change of lists, within 30 seconds.'),
          ),
          usesLink: Type.Optional(linkId('Only policies whose current lists use this directed link.')),
          usesNode: Type.Optional(nodeId('Only policies whose current lists use this node.')),
        }),
        response: { 200: json(PolicyPage, 'A page of SR policies, by id.'), ...problems(...readProblems) },
      },
    },
    async (request) => {
      const { filter, page } = pageRequest(listing, request.query);
      return pageReply(listing, await policies.policies(filter, page));
    },
  );

  app.post(
    '/v1/sr-policies',
    {
      config: {
        document: { examples: { lowDelay, booked: booked(101), important, withStandby } },
      },
      schema: {
        ...words(
          'SR policies',
          'createPolicy',
          'Create an SR policy',
          'The key is natural: headend, color and endpoint. Repeating the request is safe: it writes nothing and gets the same ' +
            'answer. Another intent under the same key is refused with `already-exists`.',
        ),
        body: SrPolicyIntent,
        response: {
          201: created(SrPolicyView, 'Created; its state follows as soon as it is computed.'),
          ...problems(...bodyProblems, ...intentProblems),
        },
      },
    },
    async (request, reply) => {
      const made = await policies.createPolicy(request.body, actorOf(request));
      return reply.code(201).headers(locationOf(made)).send(made);
    },
  );

  app.get(
    url,
    {
      schema: {
        ...words(
          'SR policies',
          'getPolicy',
          'Get one SR policy',
          'Intent, state, segment lists, and how far its agent has come.',
        ),
        params,
        response: { 200: tagged(SrPolicyView, 'The SR policy.'), ...problems(...readProblems, 'not-found') },
      },
    },
    async (request, reply) => {
      const policy = await policies.policy(request.params.id);
      return reply.header('etag', etagOf(policy.version)).send(policy);
    },
  );

  app.get(
    `${url}/detours`,
    {
      schema: {
        ...words(
          'SR policies',
          'predictPolicyDetours',
          'Predict what routers do for an SR policy when something on its path fails',
          'For each link and node of the lists in use: the repairs that routers with TI-LFA (RFC 9855) are expected to make, and ' +
            'what the path is worth meanwhile. Computed on the newest topology; changes nothing.',
        ),
        params,
        querystring: object(undefined, 'Which failures.', {
          failure: Type.Optional(
            choice('Only failures of this kind; without it of links and of nodes.', ['link', 'node']),
          ),
        }),
        response: {
          200: json(PolicyDetours, 'What is predicted.'),
          ...problems(...readProblems, 'not-found', 'overloaded'),
        },
      },
    },
    async (request) => {
      const { failure } = request.query;
      const failures = failure === undefined ? (['link', 'node'] as const) : [failure];
      return policies.detours(request.params.id, failures, request.abandoned);
    },
  );

  app.put(
    url,
    {
      config: { document: { headers: createOrReplaceHeaders, examples: { lowDelay, booked: booked(100) } } },
      schema: {
        ...words(
          'SR policies',
          'putPolicy',
          'Create or replace an SR policy',
          'With If-Match it replaces the intent; with `If-None-Match: *` it creates what is not there, and may be repeated.',
        ),
        params,
        body: SrPolicyIntent,
        response: {
          200: tagged(SrPolicyView, 'Replaced.'),
          201: created(SrPolicyView, 'Created.'),
          ...problems(...editProblems, ...intentProblems, 'mesh-owned', 'owned-elsewhere'),
        },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const intent = request.body;
      const key = `${intent.headend}:${String(intent.color)}:${intent.endpoint}`;
      if (key !== id)
        throw new Problem('request-invalid', {
          detail: `the body is about "${key}", the path about "${id}"`,
          field: 'id',
        });
      const actor = actorOf(request);
      if (createsOnly(request.headers)) {
        const made = await policies.createPolicy(intent, actor).catch(asFailedPrecondition);
        return reply.code(201).headers(locationOf(made)).send(made);
      }
      const ifVersion = await expectedVersion(request.headers['if-match'], currentVersion(id));
      const replaced = await policies.replacePolicy(id, intent, ifVersion, actor);
      return reply.header('etag', etagOf(replaced.version)).send(replaced);
    },
  );

  app.delete(
    url,
    {
      config: { document: { headers } },
      schema: {
        ...words('SR policies', 'deletePolicy', 'Delete an SR policy', 'Its traffic follows the shortest path again.'),
        params,
        response: { 204: empty('Deleted.'), ...problems(...editProblems, 'mesh-owned', 'owned-elsewhere') },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const ifVersion = await expectedVersion(request.headers['if-match'], currentVersion(id));
      await policies.deletePolicy(id, ifVersion, actorOf(request));
      return reply.code(204).send(null);
    },
  );

  for (const [name, { operationId, summary, description, run }] of Object.entries(actions)) {
    app.post(
      `${url}/${name}`,
      {
        config: { document: { headers } },
        schema: {
          ...words('SR policies', operationId, summary, description),
          params,
          response: {
            200: tagged(SrPolicyView, 'Done.'),
            ...problems(...editProblems, 'no-lists-to-pin', 'no-lists-to-return-to', 'owned-elsewhere'),
          },
        },
      },
      async (request, reply) => {
        const { id } = request.params;
        const ifVersion = await expectedVersion(request.headers['if-match'], currentVersion(id));
        const policy = await run(policies, id, ifVersion, actorOf(request));
        return reply.header('etag', etagOf(policy.version)).send(policy);
      },
    );
  }
}

function locationOf({ id, version }: { readonly id: string; readonly version: number }) {
  return { location: `/v1/sr-policies/${id}`, etag: etagOf(version) };
}
