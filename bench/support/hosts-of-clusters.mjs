/** What the hosts of large clusters are called and have, wherever they are described: in a cluster or in a file. */

const hex = (number) => number.toString(16);

/** Unique over all clusters. */
export const nodeName = (cluster, index) => `c${cluster}-n${String(index).padStart(4, '0')}`;

export const ATTACHMENT_DELAY_US = 20;

export const nodeAddress = (cluster, index) => `fd00:ffff:${cluster}::${hex(index + 1)}`;

/** Two IPv4 blocks of 64 addresses and an IPv6 one. */
export function blocksOf(cluster, index) {
  const v4 = (number) => `10.${128 + cluster * 16 + (number >> 10)}.${(number >> 2) & 255}.${(number & 3) * 64}/26`;
  return [v4(2 * index), v4(2 * index + 1), `fd20:${cluster}:0:${hex(index)}::/122`];
}

export const routerName = (cluster, index) => `r${cluster}-${String(index).padStart(2, '0')}`;

/** Each host hangs off one router of its cluster, as behind a pair of switches that look like one. */
export const attachment = (cluster, index, routers) => routerName(cluster, index % routers);

/**
 * The routers of all clusters as a native topology: those of a cluster form a ring with chords, and each cluster has two
 * links to the next one. With `hosts` the file describes these too: so many of each cluster.
 */
export function underlay(clusters, routers, hosts = 0) {
  const link = (from, to, delayUs, igpMetric = 10) => ({
    ...{ between: [from, to], igpMetric, delayUs, bandwidthBps: 1e11 },
  });
  const nodes = [];
  const links = [];
  for (let cluster = 0; cluster < clusters; cluster++) {
    for (let i = 0; i < routers; i++) {
      nodes.push({ id: routerName(cluster, i), kind: 'router', site: `dc${cluster}` });
      links.push(link(routerName(cluster, i), routerName(cluster, (i + 1) % routers), 50 + (i % 7) * 10));
      const chord = (i + 2 + Math.floor(routers / 3)) % routers;
      links.push(link(routerName(cluster, i), routerName(cluster, chord), 150 + (i % 5) * 10, 20));
    }
    for (const end of cluster + 1 < clusters ? [0, Math.floor(routers / 2)] : []) {
      links.push(link(routerName(cluster, end), routerName(cluster + 1, end), 5_000 + end * 100, 100));
    }
    for (let i = 0; i < hosts; i++) {
      const id = nodeName(cluster, i);
      const podPrefixes = blocksOf(cluster, i);
      nodes.push({ id, kind: 'host', site: `dc${cluster}`, address: nodeAddress(cluster, i), podPrefixes });
      links.push(link(id, attachment(cluster, i, routers), ATTACHMENT_DELAY_US));
    }
  }
  if (clusters > 2) links.push(link(routerName(clusters - 1, 0), routerName(0, 0), 5_000, 100));
  return JSON.stringify({ waymark: 1, nodes, links });
}
