import type { ClassSource, Family, Stray } from '../port.js';
import { classTable, colorOfTable } from './class-tables.js';
import type { KernelRule } from './kernel-rule.js';
import type { LinuxSettings } from './settings.js';

/** What the rules of one family say of service classes. */
export interface FoundRules {
  readonly classSources: readonly ClassSource[];
  readonly strays: readonly Stray[];
  /** By color: rules of others that lead to the table of a class. */
  readonly classObstacles: readonly (readonly [number, string])[];
}

/** A rule as `ip rule add` and `ip rule del` take it. */
export function classRuleText({ address, color }: ClassSource, settings: LinuxSettings): string {
  const { classRule, protocol } = settings;
  return `pref ${classRule} from ${address} lookup ${classTable(color, settings)} protocol ${protocol}`;
}

/** @param rules in the order in which they are consulted: the first of an address decides where its packets go first */
export function interpretRules(rules: readonly KernelRule[], family: Family, settings: LinuxSettings): FoundRules {
  const sources = new Map<string, ClassSource>();
  const strays: Stray[] = [];
  const classObstacles: [number, string][] = [];
  for (const rule of rules) {
    if (rule.protocol !== settings.protocol) {
      const color = rule.table === null ? null : colorOfTable(rule.table, settings);
      if (color !== null) classObstacles.push([color, `rule ${textOf(rule)}`]);
      continue;
    }
    if (isProbeRule(rule, family)) continue;
    const source = sourceOf(rule, settings);
    if (source === null || sources.has(source.address)) strays.push(strayOf(rule, family));
    else sources.set(source.address, source);
  }
  return { classSources: [...sources.values()], strays, classObstacles };
}

/** Those are looked after where they are laid. */
function isProbeRule({ from, to }: KernelRule, family: Family): boolean {
  return family === 'ipv6' && from === null && to !== null;
}

/** Null: not a rule as we write it. */
function sourceOf({ preference, from, table, fields }: KernelRule, settings: LinuxSettings): ClassSource | null {
  const isPlain = Object.keys(fields).every((name) => ['priority', 'src', 'table', 'protocol'].includes(name));
  if (!isPlain || from === null || table === null || preference !== settings.classRule) return null;
  const color = colorOfTable(table, settings);
  return color === null ? null : { address: from.replace(/\/\d+$/, ''), color };
}

function strayOf(rule: KernelRule, family: Family): Stray {
  const text = textOf(rule);
  return { family, id: `rule del ${text}`, description: `rule ${text}` };
}

function textOf({ preference, from, to, table, protocol, fields }: KernelRule): string {
  const { iif, oif } = fields;
  const parts = { from: from ?? 'all', to, iif, oif, lookup: table, protocol };
  const words = Object.entries(parts).flatMap(([name, value]) =>
    typeof value === 'string' || typeof value === 'number' ? [name, String(value)] : [],
  );
  return `pref ${preference} ${words.join(' ')}`;
}
