import { walkMetric } from './path-oracle.js';
import type { Trajectory } from './packet-oracle.js';
import type { PathConstraints, PathRequest } from '../model/path-request.js';
import type { Ted, TedLink } from '../model/ted.js';

type Step = NonNullable<PathConstraints['include']>[number];

/** Do all ways that packets take end at the destination, and obey the request on their way there? */
export function obey(ted: Ted, request: PathRequest, ways: readonly Trajectory[]): boolean {
  const { source, destination, constraints } = request;
  const { bounds = [], include = [], bandwidthBps = 0, affinities = {}, exclude = {} } = constraints;
  const admin = (id: string) => ted.nodes.find((node) => node.id === id)?.adminState;
  const isClosed = (id: string) =>
    admin(id) === 'down' || (admin(id) === 'drained' && id !== source && id !== destination);
  const isAllowed = (link: TedLink) =>
    link.adminState === 'up' &&
    [link.from, link.to].every((id) => !isClosed(id) && exclude.nodes?.includes(id) !== true) &&
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
      bounds.every(({ metric, max }) => walkMetric(links, metric) <= max) &&
      passesInOrder(source, links, include),
  );
}

/** The events of a way are its nodes and links as they come; each step has to find its own behind that of the step before. */
function passesInOrder(source: string, links: readonly TedLink[], include: readonly Step[]): boolean {
  const events = [`node ${source}`, ...links.flatMap((link) => [`link ${link.id}`, `node ${link.to}`])];
  let from = 0;
  for (const step of include) {
    const at = events.indexOf('node' in step ? `node ${step.node}` : `link ${step.link}`, from);
    if (at < 0) return false;
    // One visit of a node serves as many steps as name it in a row; a link is crossed once for each.
    from = 'node' in step ? at : at + 1;
  }
  return true;
}
