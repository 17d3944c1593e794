import type { Random } from '../random.js';
import type { Plant, Planted } from './planted.js';

function sourceEvents(random: Random, events: readonly object[], names: readonly string[]): Planted {
  return {
    operationId: 'postSourceEvents',
    url: `/v1/sources/fuzz-${random.bits()}/events`,
    body: { sequence: 1, full: random.chance(0.5), events },
    names,
  };
}

/** What a source says of links, nodes and SIDs, and cannot be. */
export const eventContradictions: Readonly<Record<string, Plant>> = {
  'events of a missing link': (random) =>
    sourceEvents(
      random,
      [
        { kind: 'link-state', link: 'UK:FR', state: 'up' },
        { kind: 'link-measurement', link: 'no:where', delayUs: 4 },
      ],
      ['/events/1/link'],
    ),
  'events of a missing node': (random) =>
    sourceEvents(
      random,
      [
        { kind: 'node-state', node: '__proto__x', state: 'up' },
        { kind: 'node-state', node: 'nowhere', state: 'up' },
      ],
      ['/events/1/node', '/events/0/node'],
    ),
  'delays out of order': (random) =>
    sourceEvents(
      random,
      [{ kind: 'link-measurement', link: 'UK:FR', delayMinUs: 900, delayUs: 5, delayMaxUs: 100 }],
      ['/events/0'],
    ),
  'service SID of another': (random) =>
    sourceEvents(
      random,
      [{ kind: 'service-sids', node: 'dc-london', sids: [{ sid: 'fcbb:bb00:1:1::', behavior: 'End.DT4' }] }],
      ['/events/0/sids/0/sid'],
    ),
  'service SID that is none': (random) =>
    sourceEvents(
      random,
      [
        {
          kind: 'service-sids',
          node: 'dc-london',
          sids: [
            {
              sid: random.pick(['fe80::4', 'ff02::1', '::', '::1', '10.0.0.1', 'fcbb:::1', '::ffff:1.2.3.4']),
              behavior: 'End.DT4',
            },
          ],
        },
      ],
      ['/events/0/sids/0/sid'],
    ),
  'service SID twice': (random) => {
    const one = { sid: 'fcbb:bb00:2f00::4', behavior: 'End.DT4' };
    return sourceEvents(
      random,
      [{ kind: 'service-sids', node: 'dc-london', sids: [one, { ...one, behavior: 'End.DT6' }] }],
      ['/events/0/sids/1'],
    );
  },
  'one service SID of two hosts': (random) => {
    const sids = [{ sid: 'fcbb:bb00:2f01::4', behavior: 'End.DT4' }];
    return sourceEvents(
      random,
      [
        { kind: 'service-sids', node: 'dc-london', sids },
        { kind: 'service-sids', node: 'dc-athens', sids },
      ],
      ['/events/1/sids/0', '/events/0/sids/0'],
    );
  },
  'a gap in the sequence': (random) => ({
    ...sourceEvents(random, [], ['/sequence']),
    body: { sequence: 2 + random.below(1_000_000), full: false, events: [] },
  }),
};
