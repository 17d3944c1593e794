import type { NewObject } from '@waymark/kubernetes-stand-in';
import { hostileTexts } from '../hostile-values.js';
import { withHostileShape, withHostileValue } from '../mutate-json.js';
import type { Random } from '../random.js';
import { rawJson, RawJson, RawMembers } from '../raw-json.js';
import type { ObjectCase } from './kubernetes-case.js';
import type { Kind } from './resources.js';
import {
  attachedNode,
  block,
  configMap,
  lendingBlock,
  namespace,
  object,
  pod,
  pool,
  specs,
  srv6Config,
} from './valid-objects.js';

/** Where hostile ConfigMaps belong. */
export const HOSTILE_NODE = 'frankfurt';

/** Objects of ours that are there, and are changed for the worse. */
export const standing = {
  SRPolicy: standingWith('SRPolicy', 90_000),
  PolicyMesh: standingWith('PolicyMesh', 90_000),
  LinkConstraint: standingWith('LinkConstraint', 90_000),
  PathProfile: standingWith('PathProfile', 90_000),
} as const;

/** The same with another delay. */
export function standingWith(kind: keyof typeof specs, maxDelayUs: number): NewObject {
  const spec = specs[kind]({ color: kind === 'SRPolicy' ? 930 : 931, maxDelayUs, links: ['DE:AT', 'AT:DE'] });
  return object(kind, 'standing', { spec });
}

export type OurKind = keyof typeof standing;

/** One that nobody objects to, of the same kind as the hostile one that is made of it. */
export function validObject(kind: Kind, name: string, number: number): NewObject {
  const small = number % 200;
  const variant = { color: 5_000 + number, maxDelayUs: 80_000, links: ['CZ:DE', 'DE:CZ'] };
  switch (kind) {
    case 'Node':
      return attachedNode(name, 10 + small);
    case 'BlockAffinity':
      return block(name, 'marker', `10.60.${small}.0/26`);
    case 'IPPool':
      return pool(name, `10.61.${small}.0/24`);
    case 'IPAMBlock':
      return lendingBlock(name, `10.62.${small}.0/26`, 'marker');
    case 'ConfigMap':
      return configMap(HOSTILE_NODE, ['fcbb:bb00:8:1::']);
    case 'Namespace':
      return namespace(name, String(2_000 + number));
    case 'Pod':
      return pod(name, `10.4.${small}.7`, { color: String(2_000 + number) });
    case 'SRPolicy':
    case 'PolicyMesh':
    case 'LinkConstraint':
    case 'PathProfile':
      return object(kind, name, { spec: specs[kind](variant) });
  }
}

function mutated(random: Random, value: unknown): unknown {
  return (random.chance(0.7) ? withHostileValue : withHostileShape)(random, value).value;
}

/** An object with one thing wrong. */
export function hostileObject(random: Random, kind: Kind, name: string, number: number): unknown {
  if (kind === 'ConfigMap' && random.chance(0.8)) return withHostileYaml(random);
  const valid = validObject(kind, name, number);
  // What is in spec and status counts more than what the API server says of every object.
  return random.chance(0.75) ? worsened(random, valid) : mutated(random, valid);
}

/** The same object by kind and name, with something wrong elsewhere. */
function worsened(random: Random, { apiVersion, kind, metadata, ...rest }: NewObject): unknown {
  const changed = mutated(random, rest);
  const header = { apiVersion, kind, metadata };
  if (changed instanceof RawMembers) return new RawMembers([...Object.entries(header), ...changed.entries]);
  const isObject = typeof changed === 'object' && changed !== null && !Array.isArray(changed);
  return isObject && !(changed instanceof RawJson) ? { ...header, ...changed } : { ...header, spec: changed };
}

export function objectCase(random: Random, index: number): ObjectCase {
  const resource = random.weighted({
    ...{ Node: 16, BlockAffinity: 8, IPPool: 6, IPAMBlock: 8, ConfigMap: 16, Namespace: 6, Pod: 8 },
    ...{ SRPolicy: 14, PolicyMesh: 8, LinkConstraint: 6, PathProfile: 4 },
  });
  const ours = resource in standing && random.chance(0.4) ? standing[resource as OurKind] : undefined;
  const name = ours === undefined ? nameOf(resource, index) : 'standing';
  const body = rawJson(
    ours === undefined ? hostileObject(random, resource, name, index % 1_000) : worsened(random, ours),
  );
  const act = ours === undefined ? 'create' : 'update';
  return { kind: `${act} ${resource}`, act, resource, name, body, text: `${act} ${resource} ${name}: ${body}` };
}

function nameOf(resource: Kind, index: number): string {
  return resource === 'ConfigMap' ? `srv6-config-${HOSTILE_NODE}` : `fuzz-${index}`;
}

const pieces: readonly ((random: Random, good: string) => string)[] = [
  (random, good) => good.slice(0, random.below(good.length)),
  (random, good) => good.replaceAll(' ', random.pick(['\t', '\u00a0', '  ', '\u2028'])),
  (random, good) => `${good}\n---\n${good}`.repeat(1 + random.below(2)),
  (_, good) => `\ufeff${good}`,
  (_, good) => good + good,
  () => 'node: &a [*a]\n',
  () => `node: ${HOSTILE_NODE}\npolicies: &p [*p, *p]\n`,
  () => `node: ${HOSTILE_NODE}\npolicies:\n- bsid: &b [*b]\n  node: x\n  segment_list: [x]\n  traffic: IPv4\n`,
  () =>
    `a: &a [x,x]\n${'bcdefghij'.replace(/./g, (letter) => `${letter}: &${letter} [${`*${String.fromCharCode(letter.charCodeAt(0) - 1)},`.repeat(9)}]\n`)}`,
  () => `node: !!js/function "function () {}"\n`,
  () => `node: !!binary aGVsbG8=\nlocalsids: !!set {a, b}\n`,
  () => `<<: {node: ${HOSTILE_NODE}}\n? {a: b}\n: c\n`,
  () => `__proto__: {node: ${HOSTILE_NODE}}\nconstructor: {}\n`,
  () => `node: ${HOSTILE_NODE}\nlocalsids: {__proto__: {DT4: "::1"}}\npolicies: []\n`,
  () => `node: ${HOSTILE_NODE}\nnode: ${HOSTILE_NODE}\n`,
  (random) => `node: ${HOSTILE_NODE}\npolicies: ${'['.repeat(random.pick([100, 5_000, 100_000]))}`,
  (random) => '- '.repeat(random.pick([10, 1_000, 20_000])),
  (random) => '{a: '.repeat(random.pick([10, 1_000, 20_000])),
  (random) => 'x'.repeat(random.pick([1, 1_000, 900_000])),
  (random) => `node: ${JSON.stringify('y'.repeat(random.pick([1_000, 900_000])))}\n`,
  (random) => random.pick(hostileTexts),
  () => `node: 0x1e308\nlocalsids: 1e400\npolicies: .nan\n`,
];

/** The config of the paper's format inside of the ConfigMap, as JSON (which is YAML) or in what is hardly YAML. */
function withHostileYaml(random: Random): object {
  const config = srv6Config(HOSTILE_NODE, ['fcbb:bb00:8:1::']);
  const good = JSON.stringify(config, null, 1);
  const srv6 = random.chance(0.6) ? rawJson(mutated(random, config)) : random.pick(pieces)(random, good);
  return object('ConfigMap', `srv6-config-${HOSTILE_NODE}`, { data: { srv6 } });
}
