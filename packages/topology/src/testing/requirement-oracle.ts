import type { MetricBound, PathRequest } from '../model/path-request.js';
import type { Ted, TedLink } from '../model/ted.js';
import type { Trajectory } from './packet-oracle.js';
import { passesAll, walkMetric } from './path-oracle.js';

/** Do all ways that packets take end at the destination, and obey the request on their way there? */
export function obey(ted: Ted, request: PathRequest, ways: readonly Trajectory[]): boolean {
  const { source, destination, constraints } = request;
  const { bounds = [], include = [], bandwidthBps = 0, affinities = {}, exclude = {} } = constraints;
  const isClosed = (id: string) => {
    const { adminState, site } = ted.nodes.find((node) => node.id === id) ?? {};
    if (adminState === 'down' || exclude.nodes?.includes(id) === true) return true;
    const isEndpoint = id === source || id === destination;
    return !isEndpoint && (adminState === 'drained' || exclude.sites?.includes(site ?? '') === true);
  };
  const isAllowed = (link: TedLink) =>
    link.adminState === 'up' &&
    ![link.from, link.to].some(isClosed) &&
    exclude.links?.includes(link.id) !== true &&
    !link.srlgs.some((group) => exclude.srlgs?.includes(group)) &&
    (affinities.includeAll ?? []).every((name) => link.affinities.includes(name)) &&
    !(affinities.excludeAny ?? []).some((name) => link.affinities.includes(name)) &&
    ((affinities.includeAny ?? []).length === 0 ||
      (affinities.includeAny ?? []).some((name) => link.affinities.includes(name)));
  const carried = (link: TedLink) =>
    ways.reduce((sum, way) => sum + way.share * way.links.filter((other) => other === link).length, 0);
  const fits = (link: TedLink) =>
    bandwidthBps * carried(link) <= (link.reservableBandwidthBps ?? link.bandwidthBps ?? 0) * (1 + 1e-9);
  return ways.every(
    ({ outcome, links }) =>
      outcome === 'delivered' &&
      links.every((link) => isAllowed(link) && (bandwidthBps === 0 || fits(link))) &&
      bounds.every((bound) => keeps(links, bound)) &&
      passesAll(links, source, include),
  );
}

/** Whatever the bound, an unknown value does not keep it, nor does the loss of a link that loses everything. */
function keeps(links: readonly TedLink[], { metric, max }: MetricBound): boolean {
  if (metric === 'loss' && links.some((link) => link.lossPpm === 1_000_000)) return false;
  return walkMetric(links, metric) <= max;
}
