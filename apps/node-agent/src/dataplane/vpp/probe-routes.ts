import { formatAddress, inPrefix, parseAddress } from '../address.js';
import type { ProbeRoute, Step } from '../port.js';
import type { Attempts } from './attempts.js';
import { objectionToForm, type Ownership } from './ownership.js';
import type { Removals } from './removals.js';
import { policyAddition, steeringAdditions } from './requests.js';
import type { ProbeSettings } from './settings.js';
import type { Vpp } from './vpp-link.js';
import { hasTable, readSteerings, readTables, type VppPolicy, type VppSteering } from './vpp-state.js';

/*
 * What the agent sends to an address of the probe prefix enters VPP through an interface of its own, whose table steers
 * that one address into an SR policy with the list that is to be tried:
 *
 *     agent ──► probe interface ──► probe table: address/128 ──steering──► SR policy, BSID address + 2^31 ──► list
 *     agent ◄── probe interface ◄── table 0: prefix ◄── the endpoint, which decapsulates and routes back
 */

export type ProbeStep = Extract<Step, { kind: 'put-probe-route' | 'remove-probe-route' }>;

/** The binding SID of a probe route: its address with the bit set that no address of a probe route has. */
export function probeBsid(address: string): string {
  const bytes = Uint8Array.from(parseAddress(address));
  bytes[12] = (bytes[12] ?? 0) | 0x80;
  return formatAddress(bytes);
}

/** The probe routes that are whole and in our form. Any other remains look like none, and are replaced or removed. */
export function probeRoutesIn(
  policies: readonly VppPolicy[],
  steerings: readonly VppSteering[],
  ownership: Ownership,
  { prefix, table }: ProbeSettings,
): readonly ProbeRoute[] {
  const isOurs = inPrefix(prefix);
  const byBsid = new Map(policies.filter(({ bsid }) => isOurs(bsid)).map((policy) => [policy.bsid, policy]));
  const steered = steerings.filter((steering) => steering.table === table && isOurs(steering.bsid));
  const whole = steered.flatMap(({ prefix: host, bsid }): ProbeRoute[] => {
    const address = host.replace(/\/128$/, '');
    const policy = byBsid.get(bsid);
    byBsid.delete(bsid);
    const [list, ...others] = policy?.lists ?? [];
    const isForm = policy !== undefined && objectionToForm(policy, ownership) === null && others.length === 0;
    const isRight = isForm && isOurs(address) && probeBsid(address) === bsid;
    return [{ address, sids: isRight ? (list?.sids ?? []) : [] }];
  });
  // An SR policy that nothing is steered into is the rest of a probe route: its address is told by its binding SID.
  const rests = [...byBsid.keys()].map((bsid) => ({ address: addressOf(bsid), sids: [] }));
  return [...whole, ...rests];
}

/** Probe routes carry nothing but probes, so they are taken down and put up again rather than replaced without a gap. */
export async function applyProbeSteps(
  vpp: Vpp,
  steps: readonly ProbeStep[],
  ownership: Ownership,
  { table }: ProbeSettings,
  attempts: Attempts,
  removals: Removals,
): Promise<void> {
  if (steps.length === 0) return;
  const steerings = await readSteerings(vpp, ownership.settings);
  const going = new Map<VppSteering, Step>();
  for (const step of steps) {
    const { address } = step.route;
    for (const steering of steerings) {
      const isRoute = steering.table === table && steering.prefix === `${address}/128`;
      if (isRoute || steering.bsid === probeBsid(address)) going.set(steering, step);
    }
  }
  await removals.steerings(going, steerings);
  await removals.policies(new Map(steps.map((step) => [probeBsid(step.route.address), step])));
  if (!hasTable(await readTables(vpp), 'ipv6', table)) {
    for (const step of steps) attempts.fail(step, `VPP has no ipv6 table ${table} for probes`);
    return;
  }
  await Promise.all(
    steps.flatMap((step) => {
      if (step.kind === 'remove-probe-route') return [];
      const { address, sids } = step.route;
      const bsid = probeBsid(address);
      const call = (...[name, values]: Parameters<Vpp['call']>) => attempts.make(step, () => vpp.call(name, values));
      return [
        call('sr_policy_add_v2', policyAddition(bsid, { weight: 1, sids }, ownership.settings.encapSource)),
        ...steeringAdditions('ipv6', table, `${address}/128`, bsid).map((addition) =>
          call('sr_steering_add_del', addition),
        ),
      ];
    }),
  );
}

function addressOf(bsid: string): string {
  const bytes = Uint8Array.from(parseAddress(bsid));
  bytes[12] = (bytes[12] ?? 0) & 0x7f;
  return formatAddress(bytes);
}
