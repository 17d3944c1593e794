import type { IncludeEntry, MetricType, PathRequest } from '../model/path-request.js';
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
    const isAtExcludedSite = (id: string) =>
      id !== source && id !== destination && (exclude.sites ?? []).includes(node.get(id)?.site ?? '');
    const needed = [metric, ...(constraints.bounds ?? []).map((bound) => bound.metric)];
    return (
      entry.adminState === 'up' &&
      !closed &&
      !(exclude.links ?? []).includes(entry.id) &&
      !(exclude.nodes ?? []).some((id) => id === entry.from || id === entry.to) &&
      ![entry.from, entry.to].some((id) => isAtExcludedSite(id)) &&
      !(exclude.srlgs ?? []).some((group) => entry.srlgs.includes(group)) &&
      (affinities.includeAll ?? []).every(has) &&
      !(affinities.excludeAny ?? []).some(has) &&
      ((affinities.includeAny ?? []).length === 0 || (affinities.includeAny ?? []).some(has)) &&
      bandwidth(entry) >= (constraints.bandwidthBps ?? 0) &&
      (!needed.includes('delay') || entry.delayUs !== null) &&
      (!needed.includes('delay-variation') || entry.delayVariationUs !== null) &&
      (!needed.includes('loss') || (entry.lossPpm !== null && entry.lossPpm < 1e6)) &&
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
  const found: TedLink[][] = [];
  const extend = (at: string, counts: readonly number[], walk: TedLink[], seen: ReadonlySet<string>): void => {
    if (at === destination && counts.includes(include.length)) {
      found.push(walk);
      return;
    }
    for (const entry of allowed) {
      if (entry.from !== at) continue;
      const next = countsAfter(include, counts, entry);
      const state = `${entry.to} ${next.join()}`;
      if (next.length > 0 && !seen.has(state)) extend(entry.to, next, [...walk, entry], new Set([...seen, state]));
    }
  };
  const start = countsAt(include, [0], source);
  extend(source, start, [], new Set([`${source} ${start.join()}`]));
  const times = (walk: readonly TedLink[], entry: TedLink) => walk.filter((other) => other === entry).length;
  return found.filter(
    (walk) =>
      (constraints.bounds ?? []).every((bound) => walkMetric(walk, bound.metric) <= bound.max) &&
      walk.every((entry) => bandwidth(entry) >= times(walk, entry) * (constraints.bandwidthBps ?? 0)),
  );
}

type Include = readonly IncludeEntry[];

/** Does a walk from a node pass every entry in its turn? */
export function passesAll(walk: readonly TedLink[], source: string, include: Include): boolean {
  const counts = walk.reduce((before, link) => countsAfter(include, before, link), countsAt(include, [0], source));
  return counts.includes(include.length);
}

/** Every way to count at a node: how many entries can have been passed, with the next one still to be passed in its turn. */
function countsAt(include: Include, counts: readonly number[], at: string): number[] {
  const next = counts.flatMap((count) => {
    const entry = include[count];
    return entry !== undefined && 'node' in entry && entry.node === at ? [count, count + 1] : [count];
  });
  const unique = [...new Set(next)].sort((a, b) => a - b);
  return unique.length === counts.length ? unique : countsAt(include, unique, at);
}

function countsAfter(include: Include, counts: readonly number[], over: TedLink): number[] {
  const after = counts.flatMap((count) => {
    const entry = include[count];
    if (entry === undefined) return [count];
    const isPassed = 'link' in entry ? entry.link === over.id : entry.node === over.to;
    return [...(isPassed ? [count + 1] : []), ...(entry.hop === 'strict' ? [] : [count])];
  });
  return countsAt(include, [...new Set(after)], over.to);
}

/** As an operator reads it: loss in ppm, rounded up. */
export function walkMetric(walk: readonly TedLink[], metric: MetricType): number {
  const sum = (value: (link: TedLink) => number) => walk.reduce((total, link) => total + value(link), 0);
  switch (metric) {
    case 'hop':
      return walk.length;
    case 'igp':
      return sum((link) => link.igpMetric);
    case 'te':
      return sum((link) => link.teMetric ?? link.igpMetric);
    case 'delay':
      return sum((link) => link.delayUs ?? Number.NaN);
    case 'delay-variation':
      return sum((link) => link.delayVariationUs ?? Number.NaN);
    case 'loss': {
      const arriving = walk.reduce((share, link) => share * (1 - (link.lossPpm ?? Number.NaN) / 1e6), 1);
      return Math.max(0, Math.ceil((1 - arriving) * 1e6 - 1e-3));
    }
  }
}
