import { LINUX_DEFAULTS } from '@waymark/node-agent';
import type { Namespaces } from './namespaces.js';
import { SRV6_DEVICE } from './wiring.js';

/** What somebody else may have on a host, of the same kinds as an agent's: routes, a tunnel, a SID, a rule. */
const PLANTED = [
  `route add 203.0.113.0/24 dev ${SRV6_DEVICE} proto static`,
  `route add 198.51.100.0/24 encap seg6 mode encap segs fcff:4::1 dev ${SRV6_DEVICE} proto static metric 77`,
  `route add 2001:db8:f::/48 encap seg6 mode encap segs fcff:1::1,fcff:2::1 dev ${SRV6_DEVICE} proto static`,
  `route add 2001:db8:5::1/128 encap seg6local action End dev ${SRV6_DEVICE} proto static`,
  'rule add from 203.0.113.9 lookup 4243 pref 5000',
];

export async function plantForeign(namespaces: Namespaces, host: string): Promise<void> {
  await namespaces.ip(host, PLANTED);
}

/** Every route and rule of a machine that is not an agent's, as the kernel prints them, sorted. */
export async function foreignState(namespaces: Namespaces, node: string): Promise<readonly string[]> {
  const shown = await Promise.all(
    ['-4', '-6'].flatMap((family) => [
      namespaces.run(node, ['ip', family, '-d', 'route', 'show', 'table', 'all']),
      namespaces.run(node, ['ip', family, '-d', 'rule', 'show']),
    ]),
  );
  return shown
    .flatMap((text) => text.split('\n'))
    .filter((line) => line !== '' && !line.includes(`proto ${LINUX_DEFAULTS.protocol} `))
    .sort();
}
