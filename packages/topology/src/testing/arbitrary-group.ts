import fc from 'fast-check';
import type { DisjointMember, DisjointRequest } from '../model/disjoint-paths.js';
import type { Disjointness } from '../model/path-request.js';
import type { Ted } from '../model/ted.js';
import { arbitraryRequest, type RequestShape } from './arbitrary-request.js';
import { arbitraryTed, type TedShape } from './arbitrary-ted.js';

export const KINDS: readonly Disjointness[] = ['link', 'node', 'srlg', 'site'];

/** The documented order, written out by hand. */
const WEAKER: Readonly<Record<string, string>> = {
  'site srlg': 'node srlg',
  'node srlg': 'node',
  srlg: 'link',
  site: 'node',
  node: 'link',
  link: '',
};

/** What a generated group is like. */
export interface GroupShape extends RequestShape {
  readonly members: number;
  readonly equal: boolean;
  readonly ted: TedShape;
}

export interface GroupCase {
  readonly ted: Ted;
  readonly request: DisjointRequest;
}

/** Groups on small networks with sites. */
export function arbitraryGroup({ members, equal, ted: tedShape, ...shape }: GroupShape): fc.Arbitrary<GroupCase> {
  return arbitraryTed(tedShape)
    .chain((plain) =>
      fc.record({
        sites: fc.array(fc.constantFrom('x', 'y', null), {
          minLength: plain.nodes.length,
          maxLength: plain.nodes.length,
        }),
        requests: fc.array(arbitraryRequest(plain, shape), { minLength: members, maxLength: members }),
        /** Keep their bounds, widened, and nothing else: or few groups had any paths. */
        loose: fc.array(fc.boolean(), { minLength: members, maxLength: members }),
        ends: fc.boolean(),
        disjoint: fc.subarray([...KINDS], { minLength: 1 }),
        mode: fc.constantFrom('strict' as const, 'relaxed' as const),
        objective: fc.constantFrom('sum' as const, 'worst' as const),
        plain: fc.constant(plain),
      }),
    )
    .map(({ plain, sites, requests, loose, ends, disjoint, mode, objective }) => {
      const ted = Object.assign(plain, { nodes: plain.nodes.map((node, i) => ({ ...node, site: sites[i] ?? null })) });
      const [first] = requests;
      const list = requests.map((own, i): DisjointMember => {
        const base = equal || ends ? (first ?? own) : own;
        const { constraints } = equal ? base : own;
        const bounds = constraints.bounds?.map((bound) => ({ ...bound, max: 2 * bound.max }));
        const isLoose = loose[equal ? 0 : i] === true;
        const { source, destination } = base;
        return { source, destination, constraints: isLoose ? { ...(bounds && { bounds }) } : constraints };
      });
      return { ted, request: { members: list, metric: first?.metric ?? 'igp', disjoint, mode, objective } };
    })
    .filter(({ ted, request }) => request.members.every(({ source }) => hasOneFirstLink(ted, source)));
}

/** Its first packets all take one link, as walks assume. */
function hasOneFirstLink(ted: Ted, source: string): boolean {
  const node = ted.nodes.find((entry) => entry.id === source);
  return node?.kind !== 'host' || ted.links.filter((link) => link.from === source).length === 1;
}

/** The level asked for and, when relaxed, all below it, the weakest being the empty one. */
export function levelsOf({ disjoint, mode }: DisjointRequest): string[] {
  const own = disjoint.includes('site') ? ['site'] : disjoint.includes('node') ? ['node'] : [];
  if (disjoint.includes('srlg')) own.push('srlg');
  const levels = [own.join(' ') || 'link'];
  while (mode === 'relaxed' && levels.at(-1) !== '') levels.push(WEAKER[levels.at(-1) ?? ''] ?? '');
  return levels;
}

export function kindsIn(level: string): Disjointness[] {
  return KINDS.filter((kind) => level.split(' ').includes(kind));
}
