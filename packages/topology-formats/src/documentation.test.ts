import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  definitionFields,
  directedLinkFields,
  flexAlgorithmFields,
  locatorFields,
  nodeFields,
  operatorLinkFields,
  operatorNodeFields,
  shortLinkFields,
  sidFields,
  sidPlanFields,
  structureFields,
} from './native/fields.js';
import { topLevelFields } from './native/read-native.js';
import { parseTopology } from './parse-topology.js';
import { applySidPlan } from './sid-plan/apply-sid-plan.js';
import { defaultSidPlan } from './sid-plan/sid-plan.js';
import { TopologyFormatError, type FormatProblem } from './topology-format-error.js';

const documentation = readFileSync(new URL('../../../docs/topology-format.md', import.meta.url), 'utf8');

function section(title: string): string {
  const start = documentation.indexOf(`### ${title}\n`);
  expect(start).toBeGreaterThan(0);
  const [text = ''] = documentation.slice(start, documentation.indexOf('\n## ', start)).split('\n### ');
  // Tables are padded.
  return text.replaceAll(/ +/g, ' ');
}

/** Names in the first column of the section's table. */
const rows = (title: string): string[] =>
  [...section(title).matchAll(/^\| `(\w+)` \|/gm)].map((match) => match[1] ?? '');

describe('the reference', () => {
  it.each([
    ['Top level', topLevelFields],
    ['Node', nodeFields],
    ['Flexible algorithm', { ...flexAlgorithmFields, ...definitionFields }],
    ['Locator', locatorFields],
    ['SID', sidFields],
    ['Structure', structureFields],
    ['Link', { ...shortLinkFields, ...directedLinkFields }],
    ['SID plan', sidPlanFields],
  ])('has a row for each field under %s, and no other', (title, fields) => {
    expect(rows(title).sort()).toEqual(Object.keys(fields).sort());
  });

  it('names the operator settings', () => {
    const text = section('Operator settings');
    for (const field of Object.keys({ ...operatorNodeFields, ...operatorLinkFields }))
      expect(text).toContain(`\`${field}\``);
  });

  it.each([
    ['Node', 6, (entry: string) => `nodes: [{ id: a, ${entry} }]`],
    [
      'Flexible algorithm',
      2,
      (entry: string) => {
        const own = entry.startsWith('algorithm') ? entry : `algorithm: 128, definition: { ${entry} }`;
        return `nodes: [{ id: a, flexAlgorithms: [{ ${own} }] }]`;
      },
    ],
    ['Locator', 2, (entry: string) => `nodes: [{ id: a, locators: [{ prefix: 'fc00::/48', ${entry} }] }]`],
    [
      'SID',
      1,
      (entry: string) => `nodes: [{ id: a, kind: host, sids: [{ sid: 'fc00::1', behavior: End.DT4, ${entry} }] }]`,
    ],
    ['Structure', 4, (entry: string) => `nodes: [{ id: a, locators: [{ prefix: '::/0', structure: { ${entry} } }] }]`],
    ['Link', 10, (entry: string) => `nodes: [{ id: a }, { id: b }]\nlinks: [{ between: [a, b], ${entry} }]`],
    ['SID plan', 2, (entry: string) => `nodes: []\nsidPlan: { ${entry} }`],
  ])('states the ranges that are enforced under %s', (title, count, file) => {
    const ranges = [...section(title).matchAll(/^\| `(\w+)` \|[^|]*\| (-?\d+) to (\d+)/gm)];
    expect(ranges).toHaveLength(count);
    for (const [, field = '', min = '', max = ''] of ranges) {
      const isInRange = (value: bigint): boolean => {
        const text = `waymark: 1\n${file(`${field}: ${value}`)}\n`;
        return !problemsOf(text).some(({ message }) => message.includes(`from ${min} to ${max}`));
      };
      const [least, most] = [BigInt(min), BigInt(max)];
      expect([field, ...[least - 1n, least, most, most + 1n].map(isInRange)]).toEqual([
        field,
        false,
        true,
        true,
        false,
      ]);
    }
  });

  it('has an example that works, and needs the plan for two nodes', () => {
    const yaml = /```yaml\n(.*?)```/s.exec(documentation)?.[1] ?? '';
    const { planned } = applySidPlan(parseTopology(yaml, 'native'), null, defaultSidPlan);
    expect(planned).toEqual({ locators: 2, sids: 4 });
  });

  it('gives the default plan', () => {
    const text = section('SID plan');
    for (const value of [
      defaultSidPlan.block,
      defaultSidPlan.nodeBits,
      defaultSidPlan.functionBits,
      'USD',
      'End.DT4, End.DT6',
    ]) {
      expect(text).toMatch(new RegExp(`\\| ${String(value)} \\|`));
    }
  });
});

function problemsOf(text: string): readonly FormatProblem[] {
  try {
    parseTopology(text, 'native');
  } catch (error) {
    if (error instanceof TopologyFormatError) return error.problems;
    throw error;
  }
  return [];
}
