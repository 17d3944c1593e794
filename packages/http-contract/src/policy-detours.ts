import { ipv6, policyId, revision } from './identifiers.js';
import { Detour } from './path-protection.js';
import { integer, list, maxUint32, nullable, object, text } from './scalars.js';

export const PolicyDetours = object(
  'PolicyDetours',
  'What routers with TI-LFA (RFC 9855) are expected to do for the lists that an SR policy uses, failure by failure.',
  {
    policyId: policyId(),
    revision: revision('Of the topology that this holds for.'),
    lists: list(
      'One entry for each list in use; none while the policy uses none.',
      object('ListDetours', 'One list by itself; of weighted lists each carries its part of the bandwidth.', {
        weight: integer('Its weight, relative to the other lists.', { maximum: maxUint32, examples: [1] }),
        sids: list('Its SIDs in front of the service SID.', ipv6('SID.'), 128),
        detours: nullable(
          list(
            'One per link and node on its branches, links first. `broken` points into the `path` of the active candidate path.',
            Detour,
            100_000,
          ),
          'null: the list does not deliver on this revision, and is about to be replaced.',
        ),
        message: nullable(text('One sentence for an operator.', 4000), 'Why it does not deliver; null when it does.'),
      }),
      16,
    ),
  },
);
