import type { Random } from '../random.js';
import { links, pair, routers, type Plant, type Planted } from './planted.js';

/** The same constraints in everything that takes constraints; `names` are pointers below them. */
function constrained(random: Random, constraints: object, below: readonly string[], more: object = {}): Planted {
  const [source, destination] = pair(random);
  return constrainedBetween(random, source, destination, constraints, below, more);
}

function constrainedBetween(
  random: Random,
  source: string,
  destination: string,
  constraints: object,
  below: readonly string[],
  more: object = {},
): Planted {
  const path = { kind: 'dynamic', metric: random.pick(['delay', 'igp', 'te']), constraints, ...more };
  const candidatePaths = [{ discriminator: 1, preference: 100, path }];
  const request = { source, destination, metric: 'delay', constraints, ...more };
  const named = (prefix: string): readonly string[] => below.map((pointer) => `${prefix}/constraints${pointer}`);
  const color = 5_000 + random.below(1_000);
  return random.pick<() => Planted>([
    () => ({ operationId: 'computePaths', body: request, names: named('') }),
    () => ({
      operationId: 'createPolicy',
      body: { headend: source, color, endpoint: destination, candidatePaths, fallback: 'drop' },
      names: named('/candidatePaths/0/path'),
    }),
    () => ({
      operationId: 'putPolicy',
      url: `/v1/sr-policies/${source}:${color}:${destination}`,
      body: { headend: source, color, endpoint: destination, candidatePaths, fallback: 'drop' },
      names: named('/candidatePaths/0/path'),
    }),
    () => ({
      operationId: 'dryRun',
      body: {
        changes: [
          {
            kind: 'policy-put',
            policy: { headend: source, color, endpoint: destination, candidatePaths, fallback: 'drop' },
          },
        ],
      },
      names: named('/changes/0/policy/candidatePaths/0/path'),
    }),
    ...('maxLists' in more || 'optional' in more
      ? []
      : [
          () => ({
            operationId: 'computeDisjointPaths',
            body: {
              members: [
                { source: 'dc-stockholm', destination: 'dc-vienna', constraints: {} },
                { source, destination, constraints },
              ],
              metric: 'delay',
              disjoint: ['link'],
            },
            names: named('/members/1'),
          }),
        ]),
  ])();
}

/** Constraints of a path that contradict each other, wherever constraints are taken. */
export const constraintContradictions: Readonly<Record<string, Plant>> = {
  'include and exclude a node': (random) => {
    const node = random.pick(routers);
    return constrained(random, { include: [{ node }], exclude: { nodes: ['CZ', node] } }, [
      '/include/0',
      '/exclude/nodes/1',
    ]);
  },
  'include and exclude a link': (random) => {
    const link = random.pick(links);
    return constrained(random, { include: [{ node: 'DE' }, { link }], exclude: { links: [link] } }, [
      '/include/1',
      '/exclude/links/0',
    ]);
  },
  'exclude an end': (random) => {
    const [source, destination] = pair(random);
    return constrainedBetween(
      random,
      source,
      destination,
      { exclude: { nodes: [random.pick([source, destination])] } },
      ['/exclude/nodes/0'],
    );
  },
  'affinities with and without': (random) => {
    const name = random.pick(['fibre', 'submarine']);
    const affinities = random.pick([
      { includeAll: [name], excludeAny: ['leased', name] },
      { includeAny: [name], excludeAny: [name] },
    ]);
    return constrained(random, { affinities }, [
      '/affinities/excludeAny',
      '/affinities/includeAll',
      '/affinities/includeAny',
    ]);
  },
  'two bounds of one metric': (random) =>
    constrained(
      random,
      {
        bounds: [
          { metric: 'delay', max: 50_000 },
          { metric: 'delay', max: 100 },
        ],
      },
      ['/bounds/1'],
    ),
  'include a missing node': (random) => constrained(random, { include: [{ node: 'nowhere' }] }, ['/include/0/node']),
  'exclude a missing link': (random) => constrained(random, { exclude: { links: ['no:where'] } }, ['/exclude/links/0']),
  'optional that is not there': (random) => {
    const made = constrained(random, {}, [], { optional: ['/constraints/bounds/7'] });
    return { ...made, names: ['/optional/0'] };
  },
  'lists without bandwidth': (random) => {
    const { body, ...rest } = constrained(random, {}, [], { maxLists: 3 });
    return { ...rest, body, names: ['maxLists', 'bandwidthBps'] };
  },
};
