import type { Namespaces } from './namespaces.js';
import type { Testbed } from './testbed.js';

const TABLE = 'wmlab';

/**
 * Counts, in every router and host, the encapsulated packets by the interface they came in by and by the headend that
 * encapsulated them (outer source address). Hellos and neighbor discovery carry neither SRH nor an inner IP packet.
 */
const RULESET = `
table inet ${TABLE} {
  set encapsulated {
    type ifname . ipv6_addr
    flags dynamic
    size 256
    counter
  }
  chain arrived {
    type filter hook prerouting priority -400; policy accept;
    meta nfproto ipv6 ip6 nexthdr { 4, 41, 43 } update @encapsulated { iifname . ip6 saddr }
  }
}
`;

/** Packets per arc (the arc they arrived by), for one headend. */
export type ArcCounts = ReadonlyMap<string, number>;

export async function installCounters(namespaces: Namespaces, testbed: Testbed): Promise<void> {
  await Promise.all(machines(testbed).map((node) => namespaces.run(node, ['nft', '-f', '-'], RULESET)));
}

/** Packets that a headend encapsulated, per directed link, since the lab was built. */
export async function readCounters(namespaces: Namespaces, testbed: Testbed, headend: string): Promise<ArcCounts> {
  const source = testbed.hosts.find(({ id }) => id === headend)?.address;
  const counts = new Map<string, number>();
  await Promise.all(
    machines(testbed).map(async (node) => {
      const listed = await namespaces.run(node, ['nft', '-j', 'list', 'set', 'inet', TABLE, 'encapsulated']);
      for (const { interfaceName, address, packets } of parseSet(listed)) {
        const arc = testbed.arcs.find(({ to, from }) => to === node && interfaceName === `to-${from}`);
        if (arc !== undefined && address === source) counts.set(arc.id, packets);
      }
    }),
  );
  return counts;
}

/** What was added between two readings; arcs without a new packet are left out. */
export function countsBetween(before: ArcCounts, after: ArcCounts): ArcCounts {
  const added = [...after].map(([arc, packets]) => [arc, packets - (before.get(arc) ?? 0)] as const);
  return new Map(added.filter(([, packets]) => packets > 0));
}

interface SetElement {
  readonly interfaceName: string;
  readonly address: string;
  readonly packets: number;
}

interface NftListing {
  readonly nftables: readonly {
    readonly set?: {
      readonly elem?: readonly {
        readonly elem: {
          readonly val: { readonly concat: readonly [string, string] };
          readonly counter: { packets: number };
        };
      }[];
    };
  }[];
}

function parseSet(json: string): readonly SetElement[] {
  const listing = JSON.parse(json) as NftListing;
  return listing.nftables.flatMap(({ set }) =>
    (set?.elem ?? []).map(({ elem }) => ({
      interfaceName: elem.val.concat[0],
      address: elem.val.concat[1],
      packets: elem.counter.packets,
    })),
  );
}

function machines(testbed: Testbed): readonly string[] {
  return [...testbed.routers, ...testbed.hosts].map(({ id }) => id);
}
