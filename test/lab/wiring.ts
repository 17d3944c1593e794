import { ipBatch, type Namespaces } from './namespaces.js';
import type { Arc, Host, Router, Testbed } from './testbed.js';

/**
 * Encapsulation routes and localsids hang on a device that never goes down: the device of such a route is nominal, but
 * the route vanishes with it.
 */
export const SRV6_DEVICE = 'srv6';

const KERNEL_SETTINGS = [
  'ipv4/ip_forward=1',
  'ipv4/conf/all/rp_filter=0',
  'ipv4/conf/default/rp_filter=0',
  'ipv6/conf/all/forwarding=1',
  'ipv6/conf/default/forwarding=1',
  'ipv6/conf/all/seg6_enabled=1',
  'ipv6/conf/default/seg6_enabled=1',
  // Addresses are ours alone: no second of waiting for duplicates.
  'ipv6/conf/all/accept_dad=0',
  'ipv6/conf/default/accept_dad=0',
  // A wire that was down comes back with its addresses.
  'ipv6/conf/all/keep_addr_on_down=1',
  'ipv6/conf/default/keep_addr_on_down=1',
];

/** Namespaces, wires, addresses, and what each router and host is configured with by hand; no routes between routers. */
export async function wireUp(namespaces: Namespaces, testbed: Testbed): Promise<void> {
  const machines = [...testbed.routers.map(({ id }) => id), ...testbed.hosts.map(({ id }) => id)];
  const pods = testbed.pods.map(({ id }) => id);
  await namespaces.create([...machines, ...pods]);
  await Promise.all(machines.map((node) => applyKernelSettings(namespaces, node)));
  await ipBatch([...wireLines(namespaces, testbed), ...podWireLines(namespaces, testbed)]);
  for (const router of testbed.routers)
    await namespaces.ip(router.id, routerLines(router, arcsFrom(testbed, router.id)));
  for (const host of testbed.hosts) {
    await namespaces.ip(host.id, hostLines(host, arcsFrom(testbed, host.id)));
    for (const { id, address, prefix, gateway } of host.pods) {
      await namespaces.ip(id, [
        'link set lo up',
        'link set eth0 up',
        `address add ${address.ipv4}/${prefix.ipv4.split('/')[1] ?? ''} dev eth0`,
        `address add ${address.ipv6}/${prefix.ipv6.split('/')[1] ?? ''} dev eth0 nodad`,
        `route add default via ${gateway.ipv4}`,
        `route add default via ${gateway.ipv6}`,
      ]);
    }
  }
}

/**
 * The localsids of the hosts, for a lab without agents to own them. The kernel has no VRF here: End.DX4 to 0.0.0.0
 * routes on the inner destination, which is End.DT4 into the main table.
 */
export async function installServiceSids(namespaces: Namespaces, testbed: Testbed): Promise<void> {
  for (const { id, serviceSid } of testbed.hosts) {
    await namespaces.ip(id, [
      `route add ${serviceSid.ipv4}/128 encap seg6local action End.DX4 nh4 0.0.0.0 dev ${SRV6_DEVICE}`,
      `route add ${serviceSid.ipv6}/128 encap seg6local action End.DT6 table 254 dev ${SRV6_DEVICE}`,
    ]);
  }
}

/** The arcs that leave a node. */
export function arcsFrom(testbed: Testbed, node: string): readonly Arc[] {
  return testbed.arcs.filter(({ from }) => from === node);
}

async function applyKernelSettings(namespaces: Namespaces, node: string): Promise<void> {
  const script = KERNEL_SETTINGS.map((setting) => setting.split('=')).map(
    ([path, value]) => `echo ${value ?? ''} > /proc/sys/net/${path ?? ''}`,
  );
  await namespaces.run(node, ['sh', '-e'], script.join('\n'));
}

function wireLines(namespaces: Namespaces, testbed: Testbed): readonly string[] {
  const name = (node: string): string => namespaces.name(node);
  return testbed.arcs
    .filter(({ id, reverseId }) => id < reverseId)
    .map(
      ({ from, to, mtuBytes }) =>
        `link add to-${to} mtu ${mtuBytes} netns ${name(from)} type veth ` +
        `peer name to-${from} mtu ${mtuBytes} netns ${name(to)}`,
    );
}

function podWireLines(namespaces: Namespaces, testbed: Testbed): readonly string[] {
  return testbed.pods.map(
    ({ id, host, interfaceName }) =>
      `link add ${interfaceName} netns ${namespaces.name(host)} type veth peer name eth0 netns ${namespaces.name(id)}`,
  );
}

function routerLines(router: Router, arcs: readonly Arc[]): readonly string[] {
  return [
    'link set lo up',
    `link add ${SRV6_DEVICE} type ifb`,
    `link set ${SRV6_DEVICE} up`,
    `route add ${router.endSid}/128 encap seg6local action End dev ${SRV6_DEVICE}`,
    ...arcs.flatMap(interfaceLines),
    ...arcs.flatMap(({ endXSid, neighborAddress }) =>
      endXSid === null
        ? []
        : [`route add ${endXSid}/128 encap seg6local action End.X nh6 ${neighborAddress} dev ${SRV6_DEVICE}`],
    ),
  ];
}

function hostLines(host: Host, arcs: readonly Arc[]): readonly string[] {
  return [
    'link set lo up',
    `link add ${SRV6_DEVICE} type ifb`,
    `link set ${SRV6_DEVICE} up`,
    ...arcs.flatMap(interfaceLines),
    ...arcs.map(({ neighborAddress }) => `route add default via ${neighborAddress}`),
    ...host.pods.flatMap(({ interfaceName, gateway, prefix }) => [
      `link set ${interfaceName} up`,
      `address add ${gateway.ipv4}/${prefix.ipv4.split('/')[1] ?? ''} dev ${interfaceName}`,
      `address add ${gateway.ipv6}/${prefix.ipv6.split('/')[1] ?? ''} dev ${interfaceName} nodad`,
    ]),
  ];
}

function interfaceLines({ interfaceName, address }: Arc): readonly string[] {
  return [`link set ${interfaceName} up`, `address add ${address}/64 dev ${interfaceName} nodad`];
}
