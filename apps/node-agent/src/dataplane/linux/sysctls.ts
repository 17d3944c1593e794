import type { LinuxSettings } from './settings.js';

/** A kernel setting that the data plane stands on. */
export interface SysctlRule {
  /** As `sysctl` names it. Interface names may hold dots, so the path is apart. */
  readonly name: string;
  readonly path: string;
  readonly accepts: readonly string[];
  /** What is written when sysctls are managed. */
  readonly value: string;
  readonly why: string;
}

/**
 * `seg6_flowlabel` and the hash policy: without the first, all encapsulated IPv4 has flow label 0 and transit routers
 * put it on one of their equal-cost paths; without the second, weights split pairs of hosts and not flows.
 */
export function sysctlRules(settings: LinuxSettings): readonly SysctlRule[] {
  const { ownsLocalSids, underlayInterfaces } = settings;
  const always = [
    rule('ipv4/ip_forward', ['1'], 'IPv4 traffic of pods is forwarded'),
    rule('ipv6/conf/all/forwarding', ['1'], 'IPv6 traffic of pods is forwarded'),
    rule('ipv6/seg6_flowlabel', ['1'], 'equal-cost paths in the underlay are used by flow'),
    rule('ipv4/fib_multipath_hash_policy', ['1'], 'weighted segment lists split IPv4 traffic by flow'),
    rule('ipv6/fib_multipath_hash_policy', ['1'], 'weighted segment lists split IPv6 traffic by flow'),
  ];
  if (!ownsLocalSids) return always;
  const scopes = ['all', 'default', ...underlayInterfaces];
  return [
    ...always,
    ...scopes.map((scope) => rule(`ipv6/conf/${scope}/seg6_enabled`, ['1'], 'packets with an SRH are accepted')),
    // Loose mode (2) lets decapsulated packets pass too: the way back is a route of ours on another device.
    ...scopes.map((scope) =>
      rule(`ipv4/conf/${scope}/rp_filter`, ['0', '2'], 'decapsulated IPv4 arrives where no route back points'),
    ),
  ];
}

function rule(key: string, accepts: readonly string[], why: string): SysctlRule {
  const [value = ''] = accepts;
  return { name: `net.${key.replaceAll('/', '.')}`, path: `/proc/sys/net/${key}`, accepts, value, why };
}
