import { arcsFrom } from './wiring.js';
import type { Router, Testbed } from './testbed.js';

/** The name under which BIRD's own commands know the IGP. */
export const IGP_PROTOCOL = 'underlay';

const HELLO_SECONDS = 1;
/** A router whose hellos stay away for so long is gone. */
export const DEAD_SECONDS = 4;

/**
 * Configuration of one router's BIRD 2: OSPFv3 over every wire to another router, its locator and the subnets of its
 * hosts as stub networks. The hosts' service SIDs and probe prefixes are static routes that stay out of OSPF: only the attachment
 * router knows them, as in the paper's testbed.
 */
export function birdConfig(router: Router, testbed: Testbed): string {
  const arcs = arcsFrom(testbed, router.id);
  const neighbors = new Set(testbed.routers.map(({ id }) => id));
  const attached = testbed.hosts.filter(({ attachment }) => attachment === router.id);
  const interfaces = arcs.map(({ interfaceName, to, igpMetric }) =>
    neighbors.has(to)
      ? `interface "${interfaceName}" { type ptp; cost ${igpMetric}; hello ${HELLO_SECONDS}; dead ${DEAD_SECONDS}; };`
      : `interface "${interfaceName}" { stub; cost ${igpMetric}; };`,
  );
  const serviceRoutes = attached.flatMap(({ locator, probePrefix, address }) =>
    [locator, probePrefix].map((prefix) => `route ${prefix} via ${address};`),
  );
  return `
log stderr all;
router id ${router.routerId};
protocol device { scan time 1; }
protocol direct { ipv6; }
protocol static { ipv6; route ${router.locator} unreachable; ${serviceRoutes.join(' ')} }
protocol kernel { merge paths on; ipv6 { import none; export where source != RTS_DEVICE; }; }
protocol ospf v3 ${IGP_PROTOCOL} {
  tick 1;
  ipv6 { import all; export none; };
  area 0 {
    stubnet ${router.locator} { cost 0; };
    ${interfaces.join('\n    ')}
  };
}
`;
}
