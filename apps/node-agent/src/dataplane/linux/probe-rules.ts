import { DataPlaneError } from '../port.js';
import { readRoutes, readRules } from './kernel-tables.js';
import type { KernelRoute } from './route-json.js';
import type { LinuxSettings } from './settings.js';

import type { Shell } from './shell.js';

/*
 * A probe is sent to an address of this node and must leave it all the same, and be taken in when it comes back:
 *
 *     P    from all to PREFIX iif lo  lookup T        what this node sends: the probe routes
 *     P+1  from all to PREFIX iif lo  unreachable     without a probe route it must not loop back inside the node
 *     P+2  from all to PREFIX         lookup T+1      what comes in: `local PREFIX dev lo`
 */

export type ProbeRuleSettings = Pick<LinuxSettings, 'probePrefix' | 'probeTable' | 'probeRule' | 'protocol' | 'metric'>;

const UNREACHABLE = '7';

interface Rule {
  readonly preference: number;
  /** As in an `ip rule` command, and what it is known by. */
  readonly text: string;
}

/** Makes the rules of ours those of the settings, and the way in; writes only what differs. */
export async function layProbeRules(settings: ProbeRuleSettings, shell: Shell): Promise<void> {
  const { probePrefix, probeTable, protocol, metric } = settings;
  const wanted = probePrefix === null ? [] : rulesOf(settings, probePrefix);
  const found = await ourRules(settings, shell);
  await removeRules(found, wanted, settings, shell);
  if (probePrefix === null) return;
  const routes = await returnRoutes(settings, shell);
  if (!routes.some((route) => isReturnRoute(route, settings))) {
    const route = `local ${probePrefix} dev lo table ${probeTable + 1} metric ${metric} proto ${protocol}`;
    await ip(shell, `-6 route replace ${route}`);
  }
  const known = new Set(found.map(({ text }) => text));
  for (const { text } of wanted) if (!known.has(text)) await ip(shell, `-6 rule add ${text} protocol ${protocol}`);
}

/** Takes away every rule of ours and the way in. */
export async function removeProbeRules(settings: ProbeRuleSettings, shell: Shell): Promise<void> {
  const { probeTable, protocol } = settings;
  await removeRules(await ourRules(settings, shell), [], settings, shell);
  for (const { prefix, metric } of await returnRoutes(settings, shell)) {
    await ip(shell, `-6 route del ${prefix} table ${probeTable + 1} metric ${metric} proto ${protocol}`);
  }
}

/** Whether a route of ours is the one that takes in probes. */
export function isReturnRoute({ prefix, metric, fields }: KernelRoute, settings: ProbeRuleSettings): boolean {
  return (
    prefix === settings.probePrefix &&
    metric === settings.metric &&
    Number(fields['table'] ?? settings.probeTable + 1) === settings.probeTable + 1 &&
    fields['type'] === '2' &&
    fields['dev'] === 'lo'
  );
}

/** The one that refuses comes first and goes last, so that nothing of ours ever loops back. */
function rulesOf({ probeTable, probeRule }: ProbeRuleSettings, prefix: string): readonly Rule[] {
  return [
    ruleOf(probeRule + 1, prefix, ' iif lo unreachable'),
    ruleOf(probeRule, prefix, ` iif lo lookup ${probeTable}`),
    ruleOf(probeRule + 2, prefix, ` lookup ${probeTable + 1}`),
  ];
}

function ruleOf(preference: number, prefix: string, rest: string): Rule {
  return { preference, text: `pref ${preference} to ${prefix}${rest}` };
}

async function removeRules(
  found: readonly Rule[],
  wanted: readonly Rule[],
  { protocol }: ProbeRuleSettings,
  shell: Shell,
): Promise<void> {
  const kept = new Set(wanted.map(({ text }) => text));
  const gone = found.filter(({ text }) => !kept.has(text)).sort((a, b) => b.preference - a.preference);
  for (const { text } of gone) await ip(shell, `-6 rule del ${text} protocol ${protocol}`);
}

/** The rules for probes that carry our protocol number, whatever they say. */
async function ourRules({ protocol }: ProbeRuleSettings, shell: Shell): Promise<readonly Rule[]> {
  const rules = await readRules('ipv6', shell);
  return rules.flatMap(({ protocol: mark, preference, from, to, table, fields }) => {
    if (mark !== protocol || from !== null || to === null) return [];
    const { iif, action } = fields;
    const arrived = typeof iif === 'string' ? ` iif ${iif}` : '';
    const then = action === UNREACHABLE ? ' unreachable' : ` lookup ${String(table)}`;
    return [ruleOf(preference, to, `${arrived}${then}`)];
  });
}

function returnRoutes({ probeTable, protocol }: ProbeRuleSettings, shell: Shell): Promise<readonly KernelRoute[]> {
  return readRoutes('ipv6', `table ${probeTable + 1} proto ${protocol}`, shell);
}

async function ip(shell: Shell, command: string): Promise<void> {
  const { code, stderr } = await shell.run('ip', command.split(' '));
  if (code !== 0) throw new DataPlaneError(`ip ${command} failed: ${stderr.trim()}`);
}
