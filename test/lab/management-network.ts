import { ipBatch, type Namespaces } from './namespaces.js';
import type { Testbed } from './testbed.js';

/** Where the agents in the hosts reach the controller and Redis, which run outside the testbed. */
export interface ManagementNetwork {
  readonly controllerAddress: string;
}

/**
 * A wire from each host to the namespace of the test. It carries IPv4 and the hosts have no route over it, so pod
 * traffic cannot take it. The wires vanish with the hosts' namespaces.
 */
export async function connectManagement(namespaces: Namespaces, testbed: Testbed): Promise<ManagementNetwork> {
  const address = managementAddresses(process.pid);
  const controllerAddress = address(1);
  await ipBatch(
    testbed.hosts.flatMap(({ id }, index) => {
      const wire = `wm${process.pid}-${index}`;
      return [
        `link add ${wire} type veth peer name management netns ${namespaces.name(id)}`,
        `address add ${controllerAddress}/32 peer ${address(index + 2)} dev ${wire}`,
        `link set ${wire} up`,
      ];
    }),
  );
  for (const [index, { id }] of testbed.hosts.entries()) {
    await namespaces.ip(id, [
      `address add ${address(index + 2)}/32 peer ${controllerAddress} dev management`,
      'link set management up',
    ]);
  }
  return { controllerAddress };
}

/** Eight addresses of 198.18.0.0/15 (RFC 2544: test networks) that belong to this process, by number. */
function managementAddresses(pid: number): (number: number) => string {
  const base = (198 << 24) + (18 << 16) + (pid % 16_384) * 8;
  return (number) => [24, 16, 8, 0].map((shift) => ((base + number) >>> shift) & 0xff).join('.');
}
