import type { Random } from '../random.js';

/** A request that fits its schema, with one contradiction that was planted in it. */
export interface Planted {
  readonly operationId: string;
  readonly url?: string;
  readonly body: unknown;
  /** Pointers, one of which the answer has to name. */
  readonly names: readonly string[];
}

export type Plant = (random: Random) => Planted;

/** Of the demo. */
export const hosts = ['dc-london', 'dc-athens', 'dc-madrid', 'dc-milan', 'dc-vienna', 'dc-amsterdam'] as const;
export const routers = ['DE', 'FR', 'UK', 'NL', 'CH', 'AT', 'IT'] as const;
export const links = ['UK:FR', 'FR:UK', 'NL:UK', 'DE:AT', 'NL:DE'] as const;

/** Two of the hosts. */
export function pair(random: Random): readonly [string, string] {
  const source = random.pick(hosts);
  return [source, random.pick(hosts.filter((host) => host !== source))];
}
