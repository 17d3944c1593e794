import type { DisjointRequest } from '../model/disjoint-paths.js';
import type { Disjointness, PathRequest } from '../model/path-request.js';
import type { Ted, TedLink } from '../model/ted.js';
import { allowedLinks, allowedWalks, walkMetric } from './path-oracle.js';

export interface BestGroup {
  /** Pairs of members times links that they share without being forced to; only counted when nothing is asked for. */
  readonly shared: number;
  readonly value: number;
}

/** The best group of walks at a level, by trying all combinations; null when there is none. */
export function bestGroup(ted: Ted, request: DisjointRequest, kinds: readonly Disjointness[]): BestGroup | null {
  const exits = kinds.length === 0 ? ['own'] : ['own', 'any'];
  for (const exit of exits) {
    const best = bestOfAll(ted, request, kinds, exit === 'any');
    if (best !== null) return best;
  }
  return null;
}

/** What fails together: names of the things a walk uses, as far as the kinds count them. */
export function risksOf(ted: Ted, walk: readonly TedLink[], kinds: readonly Disjointness[]): Set<string> {
  const sites = new Map(ted.nodes.map((node) => [node.id, node.site]));
  const risks = new Set<string>();
  for (const link of walk) {
    risks.add(`link ${[link.id, link.reverseId].sort().join()}`);
    if (kinds.includes('srlg')) {
      const reverse = ted.links.find((other) => other.id === link.reverseId);
      for (const group of [...link.srlgs, ...(reverse?.srlgs ?? [])]) risks.add(`srlg ${group}`);
    }
    for (const node of [link.from, link.to]) addNode(risks, node, sites.get(node) ?? null, kinds);
  }
  return risks;
}

function addNode(risks: Set<string>, node: string, site: string | null, kinds: readonly Disjointness[]): void {
  if (kinds.includes('node') || kinds.includes('site')) risks.add(`node ${node}`);
  if (kinds.includes('site') && site !== null) risks.add(`site ${site}`);
}

interface Walk {
  readonly links: readonly TedLink[];
  readonly risks: ReadonlySet<string>;
  readonly value: number;
}

function bestOfAll(
  ted: Ted,
  request: DisjointRequest,
  kinds: readonly Disjointness[],
  anyExit: boolean,
): BestGroup | null {
  const { members, metric, objective = 'sum' } = request;
  const requests = members.map((member): PathRequest => ({ ...member, metric }));
  const walks = requests.map((one) =>
    allowedWalks(ted, one).map((links): Walk => {
      return { links, risks: risksOf(ted, links, kinds), value: walkMetric(links, metric) };
    }),
  );
  const ends = requests.map((one) => risksAtEnds(ted, one, kinds, anyExit));
  let best: BestGroup | null = null;
  const choose = (chosen: readonly Walk[], shared: number): void => {
    const i = chosen.length;
    if (i === members.length) {
      const together = chosen.flatMap((walk) => walk.links);
      const value = objective === 'sum' ? walkMetric(together, metric) : Math.max(...chosen.map((walk) => walk.value));
      const isBetter = best === null || shared < best.shared || (shared === best.shared && value < best.value);
      if (isBetter && fitTogether(request, chosen)) best = { shared, value };
      return;
    }
    for (const walk of walks[i] ?? []) {
      let meetings = 0;
      chosen.forEach((other, j) => {
        for (const risk of walk.risks) {
          if (other.risks.has(risk) && !(ends[i]?.has(risk) === true && ends[j]?.has(risk) === true)) meetings++;
        }
      });
      if (kinds.length === 0 || meetings === 0) choose([...chosen, walk], shared + meetings);
    }
  };
  choose([], 0);
  return best;
}

/** What the ends of a member bring with them: its endpoints, and the links and routers at hosts that it cannot choose. */
function risksAtEnds(ted: Ted, request: PathRequest, kinds: readonly Disjointness[], anyExit: boolean): Set<string> {
  const { source, destination } = request;
  const isHost = (id: string) => ted.nodes.some((node) => node.id === id && node.kind === 'host');
  const allowed = allowedLinks(ted, request);
  const first = isHost(source) ? allowed.filter((link) => link.from === source) : [];
  const last = isHost(destination) ? allowed.filter((link) => link.to === destination) : [];
  const risks = risksOf(ted, first, kinds);
  const sites = new Map(ted.nodes.map((node) => [node.id, node.site]));
  for (const node of [source, destination]) addNode(risks, node, sites.get(node) ?? null, kinds);
  if (last.length === 1 || anyExit) for (const risk of risksOf(ted, last, kinds)) risks.add(risk);
  const routers = new Set(last.map((link) => link.from));
  if (routers.size === 1) for (const node of routers) addNode(risks, node, sites.get(node) ?? null, kinds);
  return risks;
}

function fitTogether({ members }: DisjointRequest, walks: readonly Walk[]): boolean {
  const demand = new Map<TedLink, number>();
  walks.forEach((walk, i) => {
    const bps = members[i]?.constraints.bandwidthBps ?? 0;
    for (const link of walk.links) demand.set(link, (demand.get(link) ?? 0) + bps);
  });
  return [...demand].every(
    ([link, bps]) => bps <= (link.reservableBandwidthBps ?? link.bandwidthBps ?? 0) || bps === 0,
  );
}
