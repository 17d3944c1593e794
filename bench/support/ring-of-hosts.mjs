/** What networks of many headends look like in the benchmarks: sizes grow, shapes do not. */

export const host = (index) => `h${String(index).padStart(4, '0')}`;

/** A ring of routers with chords, three hosts each, and a router on a stub that nobody's traffic crosses; native format. */
export function ringOfHosts(hosts) {
  const routers = Math.max(8, Math.ceil(hosts / 3));
  const router = (index) => `r${String(index % routers).padStart(4, '0')}`;
  const link = (from, to, delayUs, igpMetric) => ({ between: [from, to], igpMetric, delayUs, bandwidthBps: 1e11 });
  const nodes = [{ id: 'stub' }];
  const links = [link('stub', router(0), 1_000, 10)];
  for (let i = 0; i < routers; i++) {
    nodes.push({ id: router(i) });
    links.push(link(router(i), router(i + 1), 1_000 + (i % 7) * 100, 10));
    links.push(link(router(i), router(i + 2 + Math.floor(routers / 3)), 3_000 + (i % 5) * 100, 20));
  }
  for (let i = 0; i < hosts; i++) {
    const podPrefixes = [`10.${i >> 8}.${i & 255}.0/24`];
    nodes.push({ id: host(i), kind: 'host', address: `fd00:ffff::${(i + 1).toString(16)}`, podPrefixes });
    links.push(link(host(i), router(Math.floor((i * routers) / hosts)), 10, 10));
  }
  return JSON.stringify({ waymark: 1, nodes, links });
}

const template = {
  candidatePaths: [{ discriminator: 1, preference: 100, path: { kind: 'dynamic', metric: 'delay', constraints: {} } }],
  fallback: 'shortest-path',
};

/** Meshes of so many hosts from all around the ring; each host is in one. */
export function meshesOf(hosts, size) {
  const count = Math.ceil(hosts / size);
  return Array.from({ length: count }, (_, mesh) => ({
    id: `mesh${mesh}`,
    color: 1,
    selector: {
      nodes: Array.from({ length: hosts }, (_, index) => index)
        .filter((index) => index % count === mesh)
        .map(host),
    },
    template,
    overrides: [],
  }));
}

/** A policy like those of the meshes, by itself. */
export const plainPolicy = (color, headend, endpoint) => ({ color, headend, endpoint, ...template });
