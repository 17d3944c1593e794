import { formatPrefix, parsePrefix, type Prefix } from '@waymark/topology';

/** What a host wants to serve. Hosts of one cluster share its addresses; clusters must not. */
export interface PrefixClaim {
  readonly cluster: string;
  /** Node id in the TED. */
  readonly host: string;
  /** Canonical. */
  readonly prefixes: readonly string[];
}

/** A prefix that a host does not get, and who has it, or what overlaps it. */
export interface RefusedPrefix {
  readonly cluster: string;
  readonly host: string;
  readonly prefix: string;
  readonly holder: { readonly cluster: string; readonly host: string; readonly prefix: string };
}

export interface Allotment {
  /** Prefixes of each host, sorted. */
  readonly granted: ReadonlyMap<string, readonly string[]>;
  readonly refused: readonly RefusedPrefix[];
}

/**
 * Gives every prefix to one host. Within a cluster a prefix stays with the host that had it (`before`) as long as that one
 * claims it, so that it moves in one step when the claim does; nested prefixes are no conflict, the longer one wins where
 * packets are forwarded. Between clusters nothing may overlap: what was granted before stays, then clusters come in the order
 * in which their claims do. The same claims give the same allotment.
 */
export function allotPrefixes(
  claims: readonly PrefixClaim[],
  before: ReadonlyMap<string, readonly string[]>,
): Allotment {
  const wanted = claims.flatMap(({ cluster, host, prefixes }) =>
    prefixes.map((text): Wanted => ({ cluster, host, text, prefix: parsePrefix(text) })),
  );
  const had = (one: Wanted): boolean => before.get(one.host)?.includes(one.text) === true;
  const granted = new PrefixTable(new Set(wanted.map(({ prefix }) => prefix.length)));
  const refused: RefusedPrefix[] = [];
  for (const one of [...wanted.filter(had), ...wanted.filter((other) => !had(other))]) {
    const holder = granted.same(one) ?? granted.overlappingOfOthers(one);
    if (holder === undefined) granted.add(one);
    else if (holder.host !== one.host) {
      const { cluster, host, text } = holder;
      refused.push({ cluster: one.cluster, host: one.host, prefix: one.text, holder: { cluster, host, prefix: text } });
    }
  }
  return { granted: granted.byHost(claims.map(({ host }) => host)), refused };
}

interface Wanted {
  readonly cluster: string;
  readonly host: string;
  readonly text: string;
  readonly prefix: Prefix;
}

/** Prefixes by their bits, so that what contains one, and what it contains, is found without looking at all. */
class PrefixTable {
  readonly #exact = new Map<string, Wanted>();
  /** Of every prefix that contains a granted one: one of the granted of each cluster. */
  readonly #within = new Map<string, Map<string, Wanted>>();

  /** `lengths`: all that there will be. */
  constructor(private readonly lengths: ReadonlySet<number>) {}

  same({ text }: Wanted): Wanted | undefined {
    return this.#exact.get(text);
  }

  overlappingOfOthers(one: Wanted): Wanted | undefined {
    for (const [cluster, inner] of this.#within.get(one.text) ?? []) if (cluster !== one.cluster) return inner;
    for (const outer of this.#containing(one.prefix)) {
      const holder = this.#exact.get(outer);
      if (holder !== undefined && holder.cluster !== one.cluster) return holder;
    }
    return undefined;
  }

  add(one: Wanted): void {
    this.#exact.set(one.text, one);
    for (const outer of this.#containing(one.prefix)) {
      const clusters = this.#within.get(outer) ?? new Map<string, Wanted>();
      if (!clusters.has(one.cluster)) clusters.set(one.cluster, one);
      this.#within.set(outer, clusters);
    }
  }

  byHost(hosts: readonly string[]): ReadonlyMap<string, readonly string[]> {
    const found = new Map(hosts.map((host): [string, string[]] => [host, []]));
    for (const { host, text } of this.#exact.values()) found.get(host)?.push(text);
    for (const prefixes of found.values()) prefixes.sort();
    return found;
  }

  /** Every prefix that properly contains this one. */
  *#containing({ family, network, length }: Prefix): Generator<string> {
    const bits = family === 'ipv4' ? 32 : 128;
    for (const shorter of this.lengths) {
      if (shorter >= length) continue;
      const hostBits = BigInt(bits - shorter);
      yield formatPrefix({ family, network: (network >> hostBits) << hostBits, length: shorter });
    }
  }
}
