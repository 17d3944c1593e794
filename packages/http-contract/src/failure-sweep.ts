import { Type } from 'typebox';
import { color, linkId, meshId, nodeId, policyId, srlg } from './identifiers.js';
import { jobId, jobView } from './job.js';
import { hypothetical, overlay } from './overlay.js';
import { choice, integer, kind, list, maxUint32, nullable, object, tagged, text } from './scalars.js';

function count(description: string) {
  return integer(description, { maximum: maxUint32, examples: [0] });
}

export const FailureSweepRequest = object(
  'FailureSweepRequest',
  'Every single failure of these kinds, tried one after the other on the newest topology, or on what an overlay makes of it once ' +
    'all policies have reacted to that. Nothing is written.',
  {
    id: jobId('Id of the sweep: the client chooses it, so that it may ask again when an answer was lost.', 'tonight'),
    kinds: list(
      'What fails: each `link` (both directions together), `node`, `srlg` (all its links) and `site` (all its nodes).',
      choice('Kind of failure.', ['link', 'node', 'srlg', 'site']),
      4,
      { minItems: 1, uniqueItems: true },
    ),
    overlay: overlay(),
    policies: Type.Optional(
      object(
        undefined,
        'Whose fate is told; all must match. Without it every SR policy. Others compete all the same.',
        {
          headend: Type.Optional(nodeId('Headend.')),
          endpoint: Type.Optional(nodeId('Endpoint.')),
          color: Type.Optional(color()),
          mesh: Type.Optional(meshId()),
        },
      ),
    ),
  },
  [{ id: 'tonight', kinds: ['link', 'node', 'srlg'] }],
);

const Failure = tagged('Failure', 'What fails.', [
  object('LinkFailure', 'A link, in both directions.', {
    kind: kind('link', 'A link, in both directions.'),
    link: linkId('The direction with the smaller id.'),
    reverse: linkId('The opposite direction.'),
  }),
  object('NodeFailure', 'A node.', { kind: kind('node', 'A node.'), node: nodeId() }),
  object('SrlgFailure', 'All links of a shared-risk link group.', {
    kind: kind('srlg', 'All links of a shared-risk link group.'),
    srlg: srlg(),
  }),
  object('SiteFailure', 'All nodes of a site.', {
    kind: kind('site', 'All nodes of a site.'),
    site: text('Site.', 200),
  }),
]);

const PolicyImpact = object('PolicyImpact', 'What a failure does to a policy that is within its constraints now.', {
  policyId: policyId(),
  atOnce: choice(
    'Once routers have converged, before the controller reacts. `kept`: its lists are within all constraints; `standby`: ' +
      'none of them delivers, and the standby does, within its own; `lost`: neither.',
    ['kept', 'standby', 'lost'],
  ),
  afterReaction: choice(
    'What the controller makes of it. `kept`, `moved`: within the constraints of a candidate path; `preempted`: a policy of ' +
      'higher priority takes its bandwidth; `fallback`, `down`: no candidate path is valid.',
    ['kept', 'moved', 'preempted', 'fallback', 'down'],
  ),
  reason: nullable(text('Kind of a violation, or a no-path reason.', 63, ['link-down']), 'null: none is known.'),
  message: text('What breaks, and what becomes of it, in one sentence for an operator.', 8000),
});

export const FailureImpact = object('FailureImpact', 'What one failure does.', {
  failure: Failure,
  outcome: choice(
    '`harmless`: every policy stays within its constraints all the time. `recovers`: all are again once the controller has ' +
      'reacted. `loses`: some are not.',
    ['harmless', 'recovers', 'loses'],
  ),
  examined: count('Policies that cross what fails; nothing happens to the others, but for preemption.'),
  counts: object(undefined, 'Policies by what becomes of them.', {
    standby: count('Carried by their standby at once.'),
    lost: count('Without delivery or outside their constraints at once.'),
    moved: count('Moved by the controller.'),
    preempted: count('Without their bandwidth after the reaction.'),
    fallback: count('On their fallback after the reaction.'),
    down: count('Down after the reaction.'),
  }),
  ended: list(
    'Policies that begin or end at what fails: nothing can carry them, and they are in no other count.',
    policyId(),
    1_000_000,
  ),
  policies: list(
    'Policies that are lost at once, or not within their constraints after the reaction; by id.',
    PolicyImpact,
    1_000_000,
  ),
});

export const FailureSweepView = jobView(
  'FailureSweepView',
  'A sweep over single failures, as far as it is.',
  { example: 'tonight', outcomes: ['harmless', 'recovers', 'loses'] },
  { hypothetical: hypothetical() },
);

export const PolicyAtRisk = object('PolicyAtRisk', 'A policy that some single failure takes out of its constraints.', {
  policyId: policyId(),
  loses: list('Failures after which it stays outside, whatever the controller does.', Failure, 1_000_000),
  recovers: list('Failures after which it is outside only until the controller has reacted.', Failure, 1_000_000),
});
