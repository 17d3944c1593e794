import { readFileSync } from 'node:fs';
import type { Ted, TedLink } from '@waymark/topology';
import { applySidPlan, defaultSidPlan, parseTopology, tedFromDocument } from '@waymark/topology-formats';
import { datasetFiles } from '../../packages/topology-formats/src/testing/datasets.js';

export interface Network {
  readonly name: string;
  readonly ted: Ted;
}

/** The published networks at hand, with planned SIDs and headends that push whatever it takes. */
export function networksAtHand(): Network[] {
  const files = [
    ...datasetFiles('repetita', '.graph').map(([name, path]) => [name, path, 'repetita'] as const),
    ...datasetFiles('topology-zoo', '.graphml').map(([name, path]) => [name, path, 'graphml'] as const),
  ];
  return files.map(([name, path, format]) => {
    const { document } = applySidPlan(parseTopology(readFileSync(path, 'utf8'), format), null, defaultSidPlan);
    const ted = tedFromDocument(document);
    return { name, ted: { ...ted, nodes: ted.nodes.map((node) => ({ ...node, msdHEncaps: 100 })) } };
  });
}

/** Every so-many-eth pair of routers, the same each time. */
export function pairsOf(ted: Ted, count: number): [string, string][] {
  const nodes = ted.nodes.filter(({ kind }) => kind === 'router');
  const step = Math.max(1, Math.floor(nodes.length / count));
  const ids = nodes.map(({ id }) => id);
  return ids
    .filter((_, i) => i % step === 0)
    .map((source, i): [string, string] => [source, ids[(i * step * 7 + 3) % ids.length] ?? source])
    .filter(([source, destination]) => source !== destination);
}

/** Both directions of a link are in a group that others far away are in too. */
export function withScatteredSrlgs(ted: Ted, groups: number): Ted {
  const known = new Map<string, number>();
  const groupOf = (link: TedLink): number => {
    const key = [link.id, link.reverseId].sort().join();
    const group = known.get(key) ?? 1 + ((known.size * 5 + 2) % groups);
    known.set(key, group);
    return group;
  };
  return { ...ted, links: ted.links.map((link) => ({ ...link, srlgs: [groupOf(link)] })) };
}
