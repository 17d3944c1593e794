/** A small topology as a native file: four routers in a ring, two hosts at opposite ends. */
export interface RingOptions {
  readonly igpMetric?: number;
  readonly delayUs?: number;
  readonly withoutHost?: boolean;
}

const CORE = ['r1', 'r2', 'r3', 'r4'];

export function ringTopology({ igpMetric = 10, delayUs = 1_000, withoutHost = false }: RingOptions = {}): string {
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
    nodes: [...CORE.map((id) => ({ id, kind: 'router' })), ...hosts.map((id) => ({ id, kind: 'host' }))],
    links: [...core, ...attachments],
  });
}
