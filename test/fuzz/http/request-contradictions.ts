import type { Plant } from './planted.js';

/** Requests about several things that contradict each other, or name what is not there. */
export const requestContradictions: Readonly<Record<string, Plant>> = {
  'group of one': () => ({
    operationId: 'computeDisjointPaths',
    body: {
      members: [{ source: 'dc-london', destination: 'dc-athens', constraints: {} }],
      metric: 'delay',
      disjoint: ['node'],
    },
    names: ['/members'],
  }),
  'pair and several': (random) => ({
    operationId: 'computePaths',
    body: {
      source: 'dc-london',
      destination: 'dc-athens',
      metric: 'delay',
      constraints: {},
      coRouted: 'sum',
      ...random.pick([{ k: 2 }, { disjoint: 'node' }, { maxLists: 2 }]),
    },
    names: ['coRouted', 'maxLists', '/k', 'disjoint'],
  }),
  'too many disjoint paths': () => ({
    operationId: 'computePaths',
    body: { source: 'dc-london', destination: 'dc-athens', metric: 'delay', constraints: {}, k: 17, disjoint: 'link' },
    names: ['/k'],
  }),
  'overlay of a missing link': () => ({
    operationId: 'computePaths',
    body: {
      source: 'dc-london',
      destination: 'dc-athens',
      metric: 'delay',
      constraints: {},
      overlay: { down: { links: ['no:where'] } },
    },
    names: ['/overlay/down/links/0'],
  }),
  'overlay names a link twice': () => ({
    operationId: 'computePaths',
    body: {
      source: 'dc-london',
      destination: 'dc-athens',
      metric: 'delay',
      constraints: {},
      overlay: {
        links: [
          { link: 'UK:FR', delayUs: 1 },
          { link: 'UK:FR', delayUs: 2 },
        ],
      },
    },
    names: ['/overlay/links/1'],
  }),
  'overlay demand to itself': () => ({
    operationId: 'computePaths',
    body: {
      source: 'dc-london',
      destination: 'dc-athens',
      metric: 'delay',
      constraints: {},
      overlay: { demands: [{ source: 'DE', destination: 'DE', bandwidthBps: 5 }] },
    },
    names: ['/overlay/demands/0'],
  }),
  'batch to a missing node': (random) => {
    const one = { source: 'dc-london', destination: 'dc-athens', metric: 'igp', constraints: {} };
    const requests = [one, { ...one, destination: 'nowhere' }];
    return {
      operationId: 'createPathBatch',
      body: { id: `fuzz-${random.bits()}`, kind: 'requests', requests },
      names: ['/requests/1/destination'],
    };
  },
  'bulk names a link twice': () => ({
    operationId: 'setManyLinkConstraints',
    body: {
      mode: 'patch',
      changes: [
        { link: 'UK:FR', constraints: { delayUs: 1 } },
        { link: 'UK:FR', constraints: { delayUs: 2 } },
      ],
    },
    names: ['/changes/1/link'],
  }),
  'bulk names a missing link': () => ({
    operationId: 'setManyLinkConstraints',
    body: {
      mode: 'replace',
      changes: [
        { link: 'UK:FR', constraints: { delayUs: 1 } },
        { link: 'no:where', constraints: {} },
      ],
    },
    names: ['/changes/1/link'],
  }),
  'confirm a missing node': () => ({
    operationId: 'confirmPlannedSids',
    body: { nodes: ['DE', 'nowhere'] },
    names: ['/nodes/1'],
  }),
};
