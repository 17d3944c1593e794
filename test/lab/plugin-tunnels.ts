import { blockOf } from './data-centre.js';
import type { Namespaces } from './namespaces.js';
import type { Family, Host, Pod, Testbed } from './testbed.js';
import { SRV6_DEVICE } from './wiring.js';

/** Above the agents' 90: in force where they have nothing. */
const METRIC = 1000;

/**
 * What a network plugin does without Waymark, as Calico-VPP does: each host has SIDs of the plugin's own, and to every block
 * goes a tunnel along the IGP's shortest path. Written by hand; no agent knows of it.
 */
export class PluginTunnels {
  readonly #namespaces: Namespaces;
  readonly #testbed: Testbed;

  constructor(namespaces: Namespaces, testbed: Testbed) {
    this.#namespaces = namespaces;
    this.#testbed = testbed;
  }

  async lay(): Promise<void> {
    for (const host of this.#testbed.hosts) {
      const { ipv4, ipv6 } = sidsOf(host);
      await this.#namespaces.ip(host.id, [
        `sr tunsrc set ${host.address}`,
        `route add ${ipv4}/128 encap seg6local action End.DX4 nh4 0.0.0.0 dev ${SRV6_DEVICE}`,
        `route add ${ipv6}/128 encap seg6local action End.DT6 table 254 dev ${SRV6_DEVICE}`,
      ]);
    }
    for (const pod of this.#testbed.pods) await this.route(pod, pod.host);
  }

  /** From every other host to this one. */
  async route(pod: Pod, to: string): Promise<void> {
    const endpoint = this.#testbed.hosts.find(({ id }) => id === to);
    const router = this.#testbed.routers.find(({ id }) => id === endpoint?.attachment);
    if (endpoint === undefined || router === undefined) throw new Error(`no host ${to}`);
    const lines = (['ipv4', 'ipv6'] as const).map((family) => {
      const segments = `${router.endSid},${sidsOf(endpoint)[family]}`;
      return `${blockOf(pod, family)} encap seg6 mode encap segs ${segments} dev ${SRV6_DEVICE} metric ${METRIC}`;
    });
    for (const { id } of this.#testbed.hosts) {
      if (id !== to)
        await this.#namespaces.ip(
          id,
          lines.map((line) => `route replace ${line}`),
        );
    }
  }
}

function sidsOf({ serviceSid }: Host): Readonly<Record<Family, string>> {
  return { ipv4: serviceSid.ipv4.replace(/4$/, 'a4'), ipv6: serviceSid.ipv6.replace(/6$/, 'a6') };
}
