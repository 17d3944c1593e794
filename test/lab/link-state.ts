import type { SourceEvent } from '../../apps/controller/src/model/topology.js';
import type { Testbed } from './testbed.js';

/** What one router's link-state database says, by router id. */
export type LinkStateDatabase = ReadonlyMap<string, RouterLsa>;

export interface RouterLsa {
  /** By the SPF of the router that was asked. What an unreachable router once advertised is stale. */
  readonly reachable: boolean;
  /** IGP metric by neighbor's router id. */
  readonly neighbors: ReadonlyMap<string, number>;
  /** IGP metric by prefix. */
  readonly stubNetworks: ReadonlyMap<string, number>;
}

/** State of every element of the testbed as the IGP knows it. */
export interface IgpView {
  readonly nodes: ReadonlyMap<string, 'up' | 'down'>;
  /** IGP metric by directed link; null while the link is down. */
  readonly links: ReadonlyMap<string, number | null>;
}

/** Reads BIRD's answer to `show ospf state all`. */
export function parseOspfState(text: string): LinkStateDatabase {
  const database = new Map<string, RouterLsa>();
  for (const block of text.split(/^\trouter /m).slice(1)) {
    const [routerId = '', ...lines] = block.split('\n').map((line) => line.trim());
    const neighbors = new Map<string, number>();
    const stubNetworks = new Map<string, number>();
    for (const line of lines) {
      const [, kind, id = '', metric] = /^(router|stubnet) (\S+) metric (\d+)$/.exec(line) ?? [];
      if (kind === 'router') neighbors.set(id, Number(metric));
      if (kind === 'stubnet') stubNetworks.set(id, Number(metric));
    }
    database.set(routerId, { reachable: !lines.includes('unreachable'), neighbors, stubNetworks });
  }
  return database;
}

/** A host does not speak the IGP: it is there as long as its attachment router advertises the subnet between them. */
export function viewOf(database: LinkStateDatabase, testbed: Testbed): IgpView {
  const lsaOf = (router: string): RouterLsa | undefined => {
    const lsa = database.get(testbed.routers.find(({ id }) => id === router)?.routerId ?? '');
    return lsa?.reachable === true ? lsa : undefined;
  };
  const links = new Map<string, number | null>();
  for (const { id, from, to, subnet } of testbed.arcs) {
    const attachment = testbed.hosts.find((host) => host.id === from || host.id === to)?.attachment;
    const neighbor = testbed.routers.find((router) => router.id === to)?.routerId ?? '';
    const metric =
      attachment === undefined ? lsaOf(from)?.neighbors.get(neighbor) : lsaOf(attachment)?.stubNetworks.get(subnet);
    links.set(id, metric ?? null);
  }
  const nodes = new Map<string, 'up' | 'down'>();
  for (const { id } of testbed.routers) nodes.set(id, lsaOf(id) === undefined ? 'down' : 'up');
  for (const { id, attachment } of testbed.hosts) {
    nodes.set(id, (links.get(`${attachment}:${id}`) ?? null) === null ? 'down' : 'up');
  }
  return { nodes, links };
}

/** What changed between two views; everything when there was none before. */
export function eventsBetween(before: IgpView | undefined, after: IgpView): readonly SourceEvent[] {
  const events: SourceEvent[] = [];
  for (const [node, state] of after.nodes) {
    if (before?.nodes.get(node) !== state) events.push({ kind: 'node-state', node, state });
  }
  for (const [link, igpMetric] of after.links) {
    const known = before?.links.get(link);
    if (known === igpMetric) continue;
    if (igpMetric === null) {
      events.push({ kind: 'link-state', link, state: 'down' });
      continue;
    }
    if (known === undefined || known === null) events.push({ kind: 'link-state', link, state: 'up' });
    events.push({ kind: 'link-igp-metric', link, igpMetric });
  }
  return events;
}
