/** A small topology as a native file: four routers in a ring, two hosts at opposite ends. */
export interface RingOptions {
  readonly igpMetric?: number;
  readonly delayUs?: number;
  readonly withoutHost?: boolean;
  /** The routers take part in algorithm 128, and the first one defines it. */
  readonly flexible?: boolean;
}

const CORE = ['r1', 'r2', 'r3', 'r4'];

export function ringTopology(options: RingOptions = {}): string {
  const { igpMetric = 10, delayUs = 1_000, withoutHost = false, flexible = false } = options;
  const algorithmOf = (id: string) => ({
    flexAlgorithms: [{ algorithm: 128, ...(id === 'r1' && { definition: { metricType: 'te', excludeSrlgs: [1] } }) }],
  });
  const hosts = withoutHost ? ['h1'] : ['h1', 'h2'];
  const core = CORE.map((from, index) => ({
    between: [from, CORE[(index + 1) % CORE.length]],
    igpMetric,
    delayUs,
  }));
  const attachments = hosts.map((host) => ({
    between: [host, host === 'h1' ? 'r1' : 'r3'],
    igpMetric,
    delayUs: 10,
  }));
  return JSON.stringify({
    waymark: 1,
    nodes: [
      ...CORE.map((id) => ({ id, kind: 'router', ...(flexible && algorithmOf(id)) })),
      ...hosts.map((id) => ({ id, kind: 'host' })),
    ],
    links: [...core, ...attachments],
  });
}
