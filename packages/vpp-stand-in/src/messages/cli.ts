import { formatAddress } from '../machine/address.js';
import type { Machine } from '../machine/machine.js';
import { localsidsOf, policiesOf, steeringsOf } from '../machine/view.js';
import type { Identity } from './handler.js';

/** The text of a few commands, for eyes only. Any other command is echoed; the real VPP would say `unknown input`. */
export function runCli(machine: Machine, { version, buildDate }: Identity, command: string): string {
  switch (command.trim()) {
    case 'show version':
      return `vpp v${version} built by stand-in on ${buildDate}\n`;
    case 'show sr policies':
      return showPolicies(machine);
    case 'show sr steering-policies':
      return showSteering(machine);
    case 'show sr localsids':
      return showLocalsids(machine);
    case 'show sr encaps source addr':
      return `SR encaps source addr = ${formatAddress(machine.policies.encapSource)}\n`;
    default:
      return `${command}\n`;
  }
}

function showPolicies(machine: Machine): string {
  const lines = policiesOf(machine).flatMap((policy, index) => [
    `[${String(index)}].-\tBSID: ${policy.bsid}`,
    `\tBehavior: ${policy.isEncap ? 'Encapsulation' : 'SRH insertion'}`,
    `\tFIB table: ${String(policy.fibTable)}`,
    '\tSegment Lists:',
    ...policy.lists.map(
      (list) => `  \t[${String(list.slIndex)}].- < ${list.segments.join(', ')} > weight: ${String(list.weight)}`,
    ),
    '-----------',
  ]);
  return ['SR policies:', ...lines, ''].join('\n');
}

function showSteering(machine: Machine): string {
  const lines = steeringsOf(machine).map(({ prefix, swIfIndex, bsid }) =>
    prefix === '' ? `L2 ${String(swIfIndex)}\t${bsid}` : `L3 ${prefix}\t${bsid}`,
  );
  return ['SR steering policies:', 'Traffic\t\tSR policy BSID', ...lines, ''].join('\n');
}

function showLocalsids(machine: Machine): string {
  const lines = localsidsOf(machine).map(
    ({ address, behavior }) => `\tAddress: \t${address}\tBehavior: ${String(behavior)}`,
  );
  return ['SRv6 - My LocalSID Table:', '=========================', ...lines, ''].join('\n');
}
