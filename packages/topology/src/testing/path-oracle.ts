import type { MetricType, PathRequest } from '../model/path-request.js';
import type { Ted, TedLink } from '../model/ted.js';

/** Links that a path of the request may cross, looked at one by one. */
export function allowedLinks(ted: Ted, request: PathRequest, unreserved?: (link: TedLink) => number): TedLink[] {
  const { source, destination, metric, constraints } = request;
  const node = new Map(ted.nodes.map((entry) => [entry.id, entry]));
  const link = new Map(ted.links.map((entry) => [entry.id, entry]));
  const isHost = (id: string) => node.get(id)?.kind === 'host';
  const isUsable = (entry: TedLink) =>
    [entry, link.get(entry.reverseId), node.get(entry.from), node.get(entry.to)].every(
      (part) => part?.operationalState === 'up',
    );
  const usable = ted.links.filter(isUsable);
  const fromSource = usable.filter((entry) => entry.from === source && !isHost(entry.to));
  const least = Math.min(...fromSource.map((entry) => entry.igpMetric));
  const bandwidth = unreserved ?? ((entry: TedLink) => entry.reservableBandwidthBps ?? entry.bandwidthBps ?? 0);
  const isAllowed = (entry: TedLink): boolean => {
    const { exclude = {}, affinities = {} } = constraints;
    const has = (name: string) => entry.affinities.includes(name);
    const closed = [entry.from, entry.to].some((id) => {
      const state = node.get(id)?.adminState;
      return state === 'down' || (state === 'drained' && id !== source && id !== destination);
    });
    const needsDelay = metric === 'delay' || (constraints.bounds ?? []).some((bound) => bound.metric === 'delay');
    return (
      entry.adminState === 'up' &&
      !closed &&
      !(exclude.links ?? []).includes(entry.id) &&
      !(exclude.nodes ?? []).some((id) => id === entry.from || id === entry.to) &&
      !(exclude.srlgs ?? []).some((group) => entry.srlgs.includes(group)) &&
      (affinities.includeAll ?? []).every(has) &&
      !(affinities.excludeAny ?? []).some(has) &&
      ((affinities.includeAny ?? []).length === 0 || (affinities.includeAny ?? []).some(has)) &&
      bandwidth(entry) >= (constraints.bandwidthBps ?? 0) &&
      (!needsDelay || entry.delayUs !== null) &&
      (!isHost(entry.from) || (entry.from === source && entry.igpMetric === least)) &&
      (!isHost(entry.to) || entry.to === destination)
    );
  };
  return usable.filter(isAllowed);
}

/** Every walk from source to destination that a request allows, found by trying all of them. */
export function allowedWalks(ted: Ted, request: PathRequest, unreserved?: (link: TedLink) => number): TedLink[][] {
  const { source, destination, constraints } = request;
  const allowed = allowedLinks(ted, request, unreserved);
  const bandwidth = unreserved ?? ((entry: TedLink) => entry.reservableBandwidthBps ?? entry.bandwidthBps ?? 0);
  const include = constraints.include ?? [];
  const pass = (progress: number, at: string, over?: TedLink): number => {
    const entry = include[progress];
    if (entry === undefined) return progress;
    if ('link' in entry) return over?.id === entry.link ? pass(progress + 1, at) : progress;
    return entry.node === at ? pass(progress + 1, at) : progress;
  };
  const found: TedLink[][] = [];
  const extend = (at: string, progress: number, walk: TedLink[], seen: ReadonlySet<string>): void => {
    if (at === destination && progress === include.length) {
      found.push(walk);
      return;
    }
    for (const entry of allowed) {
      if (entry.from !== at) continue;
      const next = pass(progress, entry.to, entry);
      const state = `${entry.to} ${next}`;
      if (!seen.has(state)) extend(entry.to, next, [...walk, entry], new Set([...seen, state]));
    }
  };
  const start = pass(0, source);
  extend(source, start, [], new Set([`${source} ${start}`]));
  const times = (walk: readonly TedLink[], entry: TedLink) => walk.filter((other) => other === entry).length;
  return found.filter(
    (walk) =>
      (constraints.bounds ?? []).every((bound) => walkMetric(walk, bound.metric) <= bound.max) &&
      walk.every((entry) => bandwidth(entry) >= times(walk, entry) * (constraints.bandwidthBps ?? 0)),
  );
}

export function walkMetric(walk: readonly TedLink[], metric: MetricType): number {
  const value = (link: TedLink): number => {
    if (metric === 'hop') return 1;
    if (metric === 'delay') return link.delayUs ?? Number.NaN;
    return metric === 'te' ? (link.teMetric ?? link.igpMetric) : link.igpMetric;
  };
  return walk.reduce((sum, link) => sum + value(link), 0);
}
