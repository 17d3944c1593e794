import {
  FailureImpact,
  FailureSweepRequest,
  FailureSweepView,
  jobId,
  object,
  pageOf,
  pageQuery,
  PolicyAtRisk,
} from '@waymark/http-contract';
import type { Services } from '../../model/ports.js';
import { pageReply, pageRequest } from '../cursor.js';
import { bodyProblems, empty, json, problems, readProblems, words } from '../operation.js';
import type { ApiApp } from '../type-provider.js';

const examples = {
  everySingleFailure: {
    summary: 'Which SR policies lose their guarantees when any one link, node or duct fails?',
    value: { id: 'tonight', kinds: ['link', 'node', 'srlg'] },
  },
  ofOneHeadend: {
    summary: 'Sites, for the policies of London alone',
    value: { id: 'london-sites', kinds: ['site'], policies: { headend: 'dc-london' } },
  },
  duringMaintenance: {
    summary: 'What would a second failure do while Frankfurt is down for maintenance?',
    value: { id: 'maintenance', kinds: ['link'], overlay: { down: { nodes: ['DE'] } } },
  },
};

const url = '/v1/failure-sweeps';
const params = object(undefined, 'Which sweep.', { id: jobId('Id of the sweep.', 'tonight') });
const query = object(undefined, 'Page.', pageQuery);
const failureListing = { name: 'failures', keyPattern: /^[0-9]{1,10}$/ };
const riskListing = { name: 'policies-at-risk', keyPattern: /^[A-Za-z0-9._:-]{1,138}$/ };

export function failureSweepRoutes(app: ApiApp, { sweeps }: Services): void {
  app.post(
    url,
    {
      config: { document: { examples } },
      schema: {
        ...words(
          'SR policies',
          'startFailureSweep',
          'Try every single failure',
          'Starts a job that tells of each failure which SR policies leave their constraints: at once, when routers have ' +
            'converged and the controller has not reacted, and for good. Writes nothing. Asking for the same again gives the ' +
            'job that there is.',
        ),
        body: FailureSweepRequest,
        response: {
          202: json(FailureSweepView, 'The job.'),
          ...problems(...bodyProblems, 'node-unknown', 'link-unknown', 'already-exists', 'overloaded'),
        },
      },
    },
    async (request, reply) => reply.code(202).send(await sweeps.start(request.body)),
  );

  app.get(
    `${url}/:id`,
    {
      schema: {
        ...words('SR policies', 'readFailureSweep', 'Read a failure sweep', 'How far it is, and failures by outcome.'),
        params,
        response: { 200: json(FailureSweepView, 'The job.'), ...problems(...readProblems, 'not-found') },
      },
    },
    (request) => sweeps.sweep(request.params.id),
  );

  app.get(
    `${url}/:id/failures`,
    {
      schema: {
        ...words(
          'SR policies',
          'listSweptFailures',
          'List what each failure does',
          'Failures in the order of their kinds and ids, as far as they were tried; `next` is null when no more will come.',
        ),
        params,
        querystring: query,
        response: {
          200: json(pageOf('FailureImpactPage', 'A page of failures.', FailureImpact), 'A page of failures.'),
          ...problems(...readProblems, 'not-found'),
        },
      },
    },
    (request) => {
      const { page } = pageRequest(failureListing, request.query);
      return pageReply(failureListing, sweeps.failures(request.params.id, page));
    },
  );

  app.get(
    `${url}/:id/policies`,
    {
      schema: {
        ...words(
          'SR policies',
          'listPoliciesAtRisk',
          'List SR policies at risk',
          'Policies that some single failure takes out of their constraints, of those that were tried so far; by id.',
        ),
        params,
        querystring: query,
        response: {
          200: json(pageOf('PolicyAtRiskPage', 'A page of SR policies at risk.', PolicyAtRisk), 'A page of policies.'),
          ...problems(...readProblems, 'not-found'),
        },
      },
    },
    async (request) => {
      const { page } = pageRequest(riskListing, request.query);
      return pageReply(riskListing, await sweeps.atRisk(request.params.id, page));
    },
  );

  app.delete(
    `${url}/:id`,
    {
      schema: {
        ...words('SR policies', 'deleteFailureSweep', 'Delete a failure sweep', 'Cancels it if it is not over.'),
        params,
        response: { 204: empty('It is gone.'), ...problems(...bodyProblems, 'not-found') },
      },
    },
    async (request, reply) => {
      sweeps.delete(request.params.id);
      return reply.code(204).send(null);
    },
  );
}
