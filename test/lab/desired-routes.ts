import { LINUX_DEFAULTS } from '@waymark/node-agent';
import type { SrPolicyView } from '../../apps/controller/src/model/sr-policy.js';
import type { KernelRoute } from './kernel-routes.js';

/** The tunnels that a host's kernel shall hold, as `<prefix> > <SID> <SID>`, sorted; of policies with one list each. */
export function desiredTunnels(policies: readonly SrPolicyView[], host: string): readonly string[] {
  return policies
    .filter(({ intent }) => intent.headend === host)
    .flatMap(({ id, state }) => {
      const [list, ...others] = state?.lists ?? [];
      if (state === null || list === undefined || others.length > 0) throw new Error(`${id} has not one list`);
      return state.steering
        .filter(({ heldBy }) => heldBy === null)
        .map(({ prefix }) => {
          const family = prefix.includes(':') ? 'ipv6' : 'ipv4';
          const finished = list.segmentLists.find((candidate) => candidate.family === family);
          const sids = finished?.entries.map(({ address }) => address) ?? [];
          return `${prefix.replace(/\/(32|128)$/, '')} > ${sids.join(' ')}`;
        });
    })
    .sort();
}

/** Those it holds, in the same form. */
export function installedTunnels(routes: readonly KernelRoute[]): readonly string[] {
  return routes
    .filter(({ protocol, encap }) => protocol === String(LINUX_DEFAULTS.protocol) && encap === 'seg6')
    .map(({ prefix, segmentList }) => `${prefix} > ${segmentList.join(' ')}`)
    .sort();
}
