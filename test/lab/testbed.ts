/**
 * The testbed of the paper (arXiv 2301.01178), figure of its evaluation: eight routers and three hosts.
 *
 *        R1 ------- R2 ------- R3 ==== master, worker1
 *                   |          |
 *                   |          R4 ----- R5
 *                   |            \     /
 *                   R7 ----------- R6
 *                     \          /
 *                      --- R8 ---
 *                          ||
 *                        worker2
 *
 * Plain data: addresses, SIDs and metrics of every element, from which everything else is built.
 */

export interface Router {
  readonly id: string;
  readonly routerId: string;
  /** Carried by the IGP; covers every SID of the router. */
  readonly locator: string;
  /**
   * A route with the behavior End, not an address of the loopback: on an address with seg6_enabled the kernel refuses a
   * reduced SRH (it takes Segments Left = Last Entry + 1 for an error, against RFC 8754 section 4.3.1.1).
   */
  readonly endSid: string;
}

/** One direction of a wire. */
export interface Arc {
  readonly id: string;
  readonly from: string;
  readonly to: string;
  readonly reverseId: string;
  /** Of the `from` interface, which is named after the neighbor. */
  readonly interfaceName: string;
  readonly address: string;
  readonly neighborAddress: string;
  readonly igpMetric: number;
  readonly mtuBytes: number;
  /** As declared to the controller; the wires themselves add nothing. */
  readonly delayUs: number;
  /** Between routers only. */
  readonly endXSid: string | null;
  /** Of the wire's subnet. */
  readonly subnet: string;
}

export interface Pod {
  readonly id: string;
  readonly host: string;
  readonly interfaceName: string;
  readonly address: { readonly ipv4: string; readonly ipv6: string };
  readonly gateway: { readonly ipv4: string; readonly ipv6: string };
  readonly prefix: { readonly ipv4: string; readonly ipv6: string };
}

export interface Host {
  readonly id: string;
  readonly attachment: string;
  /** Source of the encapsulation and endpoint of SR policies. */
  readonly address: string;
  /** Routed at the attachment router only. */
  readonly locator: string;
  readonly serviceSid: { readonly ipv4: string; readonly ipv6: string };
  /** Part of the subnet of its wire, so that the IGP brings what is sent there to the attachment router. */
  readonly probePrefix: string;
  readonly pods: readonly [Pod, Pod];
}

export interface Testbed {
  readonly routers: readonly Router[];
  readonly hosts: readonly Host[];
  readonly pods: readonly Pod[];
  /** Both directions of every wire, hosts' ones included. */
  readonly arcs: readonly Arc[];
}

export type Family = 'ipv4' | 'ipv6';

const MS = 1000;

/** Delays make the best path by delay differ from the best by hops, and from the second best by a clear step. */
const WIRES: readonly (readonly [from: number, to: number, delayUs: number])[] = [
  [1, 2, 2 * MS],
  [2, 3, 2 * MS],
  [2, 7, 9 * MS],
  [3, 4, 3 * MS],
  [4, 5, 2 * MS],
  [4, 6, 8 * MS],
  [5, 6, 2 * MS],
  [6, 7, 2 * MS],
  [6, 8, 7 * MS],
  [7, 8, 2 * MS],
];

const HOSTS: readonly (readonly [id: string, attachment: number])[] = [
  ['master', 3],
  ['worker1', 3],
  ['worker2', 8],
];

const HOST_LINK_DELAY_US = 100;
const IGP_METRIC = 10;

/** Room for an SRH around a full-size pod packet, so that no pod packet is ever too big for the underlay. */
const UNDERLAY_MTU = 9000;

function pod(hostNumber: number, host: string, number: number): Pod {
  const v4 = `10.244.${hostNumber * 10 + number}`;
  const v6 = `fd40:0:${hostNumber}:${number}:`;
  return {
    id: `${host}-pod${number}`,
    host,
    interfaceName: `pod${number}`,
    address: { ipv4: `${v4}.2`, ipv6: `${v6}:2` },
    gateway: { ipv4: `${v4}.1`, ipv6: `${v6}:1` },
    prefix: { ipv4: `${v4}.0/24`, ipv6: `${v6}:/64` },
  };
}

function wire(
  from: string,
  to: string,
  subnet: string,
  suffixes: readonly [string, string],
  delayUs: number,
  endXSids: readonly [string | null, string | null],
): readonly Arc[] {
  const [near, far] = suffixes.map((suffix) => `${subnet}${suffix}`) as [string, string];
  const common = { igpMetric: IGP_METRIC, mtuBytes: UNDERLAY_MTU, delayUs, subnet: `${subnet}/64` };
  return [
    {
      ...common,
      id: `${from}:${to}`,
      from,
      to,
      reverseId: `${to}:${from}`,
      interfaceName: `to-${to}`,
      address: near,
      neighborAddress: far,
      endXSid: endXSids[0],
    },
    {
      ...common,
      id: `${to}:${from}`,
      from: to,
      to: from,
      reverseId: `${from}:${to}`,
      interfaceName: `to-${from}`,
      address: far,
      neighborAddress: near,
      endXSid: endXSids[1],
    },
  ];
}

/** The whole testbed. */
export function paperTestbed(): Testbed {
  const routers = [1, 2, 3, 4, 5, 6, 7, 8].map((n): Router => ({
    id: `R${n}`,
    routerId: `10.0.0.${n}`,
    locator: `fcff:${n}::/48`,
    endSid: `fcff:${n}::1`,
  }));
  const hosts = HOSTS.map(([id, attachment], index): Host => ({
    id,
    attachment: `R${attachment}`,
    address: `fd20:${attachment}:${index + 1}::2`,
    locator: `fcdd:0:${index + 1}::/48`,
    serviceSid: { ipv4: `fcdd:0:${index + 1}::4`, ipv6: `fcdd:0:${index + 1}::6` },
    probePrefix: `fd20:${attachment}:${index + 1}:0:1::/96`,
    pods: [pod(index + 1, id, 1), pod(index + 1, id, 2)],
  }));
  const arcs = [
    ...WIRES.flatMap(([a, b, delayUs]) =>
      wire(`R${a}`, `R${b}`, `fd10:${a}${b}::`, [String(a), String(b)], delayUs, [
        `fcff:${a}::e:${b}`,
        `fcff:${b}::e:${a}`,
      ]),
    ),
    ...HOSTS.flatMap(([host, attachment], index) =>
      wire(`R${attachment}`, host, `fd20:${attachment}:${index + 1}::`, ['1', '2'], HOST_LINK_DELAY_US, [null, null]),
    ),
  ];
  return { routers, hosts, pods: hosts.flatMap((host) => host.pods), arcs };
}

/** Routers and what is between them: the testbed without its hosts. */
export function underlayOf({ routers, arcs }: Testbed): Testbed {
  const isRouter = (id: string): boolean => routers.some((router) => router.id === id);
  return { routers, hosts: [], pods: [], arcs: arcs.filter(({ from, to }) => isRouter(from) && isRouter(to)) };
}
