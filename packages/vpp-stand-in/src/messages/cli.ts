import { formatAddress } from '../machine/address.js';
import type { Interface } from '../machine/interfaces.js';
import type { Machine } from '../machine/machine.js';
import { localsidsOf, policiesOf, steeringsOf } from '../machine/view.js';
import type { Identity } from './handler.js';

/** The text of a few commands; only those of `show interface` and of interface features are VPP's to the letter. Any other command is echoed; the real VPP would say `unknown input`. */
export function runCli(machine: Machine, { version, buildDate }: Identity, command: string): string {
  const [, featuresOf] = /^show interface features (\S+)$/.exec(command.trim()) ?? [];
  if (featuresOf !== undefined) return showFeatures(machine, featuresOf);
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
    case 'show interface':
      return showInterfaces(machine);
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

/** Counters that are 0 are left out; the first follows the MTU, the others stand below it. By name, as VPP sorts them. */
function showInterfaces({ interfaces }: Machine): string {
  const title = [
    centred('Name', 32),
    centred('Idx', 5),
    centred('State', 10),
    centred('MTU (L3/IP4/IP6/MPLS)', 21),
    centred('Counter', 16),
    centred('Count', 16),
  ].join('');
  const sorted = [...interfaces.all()].sort((a, b) => (a.name < b.name ? -1 : 1));
  return [title, ...sorted.map(showInterface), ''].join('\n');
}

/** Of some arcs what is on, here no other than input ACLs, in the order of the arc. */
function showFeatures({ interfaces }: Machine, name: string): string {
  const found = interfaces.named(name);
  if (found === undefined) return `show interface: unknown input \`${name}'\n`;
  const paths = ['ip6', 'ip4'].flatMap((family) => {
    const acl = found.inputAclArcs.has(`${family}-unicast`) ? [`  ${family}-inacl`] : [];
    const notEnabled = `  ${family}-not-enabled`;
    return [
      [`${family}-output:`, '  none configured'],
      [`${family}-multicast:`, notEnabled],
      [`${family}-unicast:`, notEnabled, ...acl],
    ];
  });
  return [`Feature paths configured on ${name}...`, ...paths.map((lines) => lines.join('\n')), ''].join('\n\n');
}

function showInterface({ name, swIfIndex, isUp, mtu = 9000, parent, counters }: Interface): string {
  const l3 = parent === undefined ? mtu : 0;
  const head = [
    name.padEnd(32),
    centred(String(swIfIndex), 5),
    centred(isUp === false ? 'down' : 'up', 10),
    centred(`${String(l3)}/0/0/0`, 21),
  ].join('');
  const { rxPackets = 0, rxBytes = 0, txPackets = 0, txBytes = 0, drops = 0, punt = 0, ip4 = 0, ip6 = 0 } = counters;
  const lines: (readonly [string, number])[] = [
    // Without packets, VPP shows no bytes either; with them, also 0 bytes.
    ...(rxPackets === 0
      ? []
      : ([
          ['rx packets', rxPackets],
          ['rx bytes', rxBytes],
        ] as const)),
    ...(txPackets === 0
      ? []
      : ([
          ['tx packets', txPackets],
          ['tx bytes', txBytes],
        ] as const)),
    ...(
      [
        ['drops', drops],
        ['punt', punt],
        ['ip4', ip4],
        ['ip6', ip6],
      ] as const
    ).filter(([, count]) => count > 0),
  ];
  const text = lines.map(([counter, count]) => `${counter.padEnd(16)}${String(count).padStart(16)}`);
  return `${head}${text.join(`\n${' '.repeat(head.length)}`)}`;
}

/** As VPP's format does it: of an odd number of blanks, the odd one comes first. */
function centred(text: string, width: number): string {
  const blanks = Math.max(0, width - text.length);
  return text.padStart(text.length + Math.ceil(blanks / 2)).padEnd(width);
}
