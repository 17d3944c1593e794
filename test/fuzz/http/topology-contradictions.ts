import type { Operation } from '../../contract/openapi-document.js';
import type { Random } from '../random.js';
import { httpCase, type HttpCase } from './http-case.js';

/*
 * Topology files that are right in every field and wrong as a whole, by one contradiction that is planted in a file that is
 * right. The answer has to name what was planted.
 */

type Json = Record<string, unknown>;

interface Draft {
  readonly nodes: Json[];
  readonly links: Json[];
  readonly rest: Json;
}

/** Names of what was planted, one of which must be in the problem. */
type Plant = (draft: Draft, random: Random) => readonly string[];

/** A ring of routers and two hosts, with everything declared, apart from the demo in names and addresses. */
function soundDraft(random: Random): Draft {
  const routers = 4 + random.below(4);
  const name = (i: number): string => `zz${(i % routers) + 1}`;
  const block = (i: number): string => `fcfe:${(i + 1).toString(16)}`;
  const nodes: Json[] = Array.from({ length: routers }, (_, i) => ({
    id: name(i),
    kind: 'router',
    address: `fdfe:${i + 1}::1`,
    locators: [{ prefix: `${block(i)}::/48` }],
    sids: [
      { sid: `${block(i)}:0:1::`, behavior: 'End', flavors: ['USD'] },
      { sid: `${block(i)}:0:2::`, behavior: 'End.X', flavors: ['USD'], linkId: `${name(i)}:${name(i + 1)}` },
    ],
  }));
  const hosts: Json[] = [1, 2].map((i) => ({
    id: `zh${i}`,
    kind: 'host',
    address: `fdfe:ff0${i}::1`,
    podPrefixes: [`10.25${i}.0.0/16`, `fdfe:aa0${i}::/48`],
    locators: [{ prefix: `fcfe:f0${i}::/48`, scope: 'attachment' }],
    sids: [
      { sid: `fcfe:f0${i}::4`, behavior: 'End.DT4', structure: 'opaque' },
      { sid: `fcfe:f0${i}::6`, behavior: 'End.DT6', structure: 'opaque' },
    ],
  }));
  const link = (from: string, to: string, i: number): Json => ({
    between: [from, to],
    igpMetric: 10 + i,
    delayUs: 100 * (i + 1),
    bandwidthBps: 1_000_000_000,
    affinities: ['fibre'],
    srlgs: [9_000 + i],
    forward: { interfaceAddresses: [`fdfd:${i + 1}::1`, `172.30.${i}.1`] },
    backward: { interfaceAddresses: [`fdfd:${i + 1}::2`, `172.30.${i}.2`] },
  });
  const ring = Array.from({ length: routers }, (_, i) => link(name(i), name(i + 1), i));
  return {
    nodes: [...nodes, ...hosts],
    links: [...ring, link('zz1', 'zh1', 30), link('zz2', 'zh2', 31)],
    rest: { waymark: 1 },
  };
}

const routersOf = ({ nodes }: Draft): Json[] => nodes.filter(({ kind }) => kind === 'router');
const hostsOf = ({ nodes }: Draft): Json[] => nodes.filter(({ kind }) => kind === 'host');

/** A router and the one after it. */
function twoRouters(draft: Draft, random: Random): readonly [Json, Json] {
  const routers = routersOf(draft);
  const at = random.below(routers.length);
  return [routers[at] ?? {}, routers[(at + 1) % routers.length] ?? {}];
}

const text = (value: unknown): string => String(value);
const sidsOf = (node: Json): Json[] => node['sids'] as Json[];
const locatorsOf = (node: Json): Json[] => node['locators'] as Json[];

function withSid(draft: Draft, random: Random, sid: Json): readonly string[] {
  const [router] = twoRouters(draft, random);
  sidsOf(router).push({ behavior: 'End', flavors: ['USD'], ...sid });
  return [text(sid['sid'])];
}

const plants = {
  'link to a missing node': (draft, random) => {
    draft.links.push({ between: [text(random.pick(draft.nodes)['id']), 'nowhere'] });
    return ['nowhere'];
  },
  'link to itself': (draft, random) => {
    const { id } = random.pick(routersOf(draft));
    draft.links.push({ between: [id, id], forward: { id: 'loop:1' }, backward: { id: 'loop:2' } });
    return ['loop:1', text(id)];
  },
  'link between hosts': (draft) => {
    draft.links.push({ between: ['zh1', 'zh2'] });
    return ['zh1:zh2', 'zh2:zh1'];
  },
  'node twice': (draft, random) => {
    const { id } = random.pick(draft.nodes);
    draft.nodes.push({ id });
    return [text(id)];
  },
  'link twice': (draft, random) => {
    const [a, b] = twoRouters(draft, random).map(({ id }) => text(id));
    const link = { between: [a, b], forward: { id: 'twin:1' }, backward: { id: 'twin:2' } };
    draft.links.push(link, structuredClone(link));
    return ['twin:1', 'twin:2'];
  },
  'one-way claim': (draft, random) => {
    const [a, b] = twoRouters(draft, random).map(({ id }) => text(id));
    draft.links.push({ id: 'claim:1', from: a, to: b, reverse: 'claim:2' });
    return ['claim:1', 'claim:2'];
  },
  'reverse of another pair': (draft, random) => {
    const [a, b] = twoRouters(draft, random).map(({ id }) => text(id));
    draft.links.push(
      { id: 'pair:1', from: a, to: b, reverse: 'pair:2' },
      { id: 'pair:2', from: a, to: b, reverse: 'pair:1' },
    );
    return ['pair:1', 'pair:2'];
  },
  'reverse that names another': (draft, random) => {
    const [a, b] = twoRouters(draft, random).map(({ id }) => text(id));
    draft.links.push(
      { id: 'tri:1', from: a, to: b, reverse: 'tri:2' },
      { id: 'tri:2', from: b, to: a, reverse: 'tri:3' },
      { id: 'tri:3', from: a, to: b, reverse: 'tri:2' },
    );
    return ['tri:1', 'tri:2', 'tri:3'];
  },
  'SID outside locators': (draft, random) => withSid(draft, random, { sid: 'fcfd:dead:0:9::' }),
  'SID that is link-local': (draft, random) => withSid(draft, random, { sid: 'fe80::9' }),
  'SID that is multicast': (draft, random) => withSid(draft, random, { sid: 'ff02::9' }),
  'SID that is unspecified': (draft, random) => withSid(draft, random, { sid: '::' }),
  'SID that is IPv4': (draft, random) => withSid(draft, random, { sid: '192.0.2.1' }),
  'SID with a zone': (draft, random) => withSid(draft, random, { sid: 'fcfe:1:0:9::%eth0' }),
  'SID mapped from IPv4': (draft, random) =>
    withSid(draft, random, { sid: '::ffff:192.0.2.1' }).concat('::ffff:c000:201'),
  'SID of two nodes': (draft, random) => {
    const [a, b] = twoRouters(draft, random);
    const { sid } = random.pick(sidsOf(a));
    sidsOf(b).push({ sid, behavior: 'End', flavors: ['USD'] });
    return [text(sid)];
  },
  'SID twice on one node': (draft, random) => {
    const [a] = twoRouters(draft, random);
    const { sid } = random.pick(sidsOf(a));
    sidsOf(a).push({ sid, behavior: 'End', flavors: ['PSP'] });
    return [text(sid)];
  },
  'SID of another algorithm': (draft, random) => {
    const [a] = twoRouters(draft, random);
    const prefix = text(locatorsOf(a)[0]?.['prefix']).replace('::/48', '');
    sidsOf(a).push({ sid: `${prefix}:0:77::`, behavior: 'End', algorithm: 128 });
    return [`${prefix}:0:77::`];
  },
  'End.X without a link': (draft, random) => {
    const [a] = twoRouters(draft, random);
    delete sidsOf(a)[1]?.['linkId'];
    return [text(sidsOf(a)[1]?.['sid'])];
  },
  'End.X over a missing link': (draft, random) => {
    const [a] = twoRouters(draft, random);
    Object.assign(sidsOf(a)[1] ?? {}, { linkId: 'zz1:zz99' });
    return ['zz1:zz99'];
  },
  'End.X over a link of another': (draft, random) => {
    const [a, b] = twoRouters(draft, random);
    Object.assign(sidsOf(a)[1] ?? {}, { linkId: sidsOf(b)[1]?.['linkId'] });
    return [text(sidsOf(a)[1]?.['sid'])];
  },
  'End with a link': (draft, random) => {
    const [a] = twoRouters(draft, random);
    Object.assign(sidsOf(a)[0] ?? {}, { linkId: sidsOf(a)[1]?.['linkId'] });
    return [text(sidsOf(a)[0]?.['sid'])];
  },
  'host with a transit SID': (draft, random) => {
    const host = random.pick(hostsOf(draft));
    const sid = text(sidsOf(host)[0]?.['sid']).replace('::4', '::e');
    sidsOf(host).push({ sid, behavior: 'End' });
    return [sid];
  },
  'service SID with flavors': (draft, random) => {
    const host = random.pick(hostsOf(draft));
    Object.assign(sidsOf(host)[0] ?? {}, { flavors: ['PSP'] });
    return [text(sidsOf(host)[0]?.['sid'])];
  },
  'locator of two nodes': (draft, random) => {
    const [a, b] = twoRouters(draft, random);
    const { prefix } = locatorsOf(a)[0] ?? {};
    locatorsOf(b).push({ prefix });
    return [text(prefix)];
  },
  'locator within another': (draft, random) => {
    const [a, b] = twoRouters(draft, random);
    const inner = text(locatorsOf(a)[0]?.['prefix']).replace('::/48', ':0:8000::/52');
    locatorsOf(b).push({ prefix: inner });
    return [inner];
  },
  'locator around others': (draft, random) => {
    locatorsOf(random.pick(hostsOf(draft))).push({ prefix: 'fcfe::/16' });
    return ['fcfe::/16'];
  },
  'anycast on one side': (draft, random) => {
    const [a, b] = twoRouters(draft, random);
    const { prefix } = locatorsOf(a)[0] ?? {};
    locatorsOf(b).push({ prefix, anycast: true });
    return [text(prefix)];
  },
  'locator over binding SIDs': (draft, random) => {
    const [a] = twoRouters(draft, random);
    locatorsOf(a).push({ prefix: 'fdbb:b51d::/48' });
    return ['fdbb:b51d::/48'];
  },
  'locator with host bits': (draft, random) => {
    locatorsOf(twoRouters(draft, random)[0]).push({ prefix: 'fcfc:1::1/48' });
    return ['fcfc:1::1/48'];
  },
  'locator of IPv4': (draft, random) => {
    locatorsOf(twoRouters(draft, random)[0]).push({ prefix: '192.0.2.0/24' });
    return ['192.0.2.0/24'];
  },
  'locator too long': (draft, random) => {
    locatorsOf(twoRouters(draft, random)[0]).push({ prefix: 'fcfc::/129' });
    return ['fcfc::/129'];
  },
  'locator whose structure is another': (draft, random) => {
    const structure = { blockBits: 40, nodeBits: 16, functionBits: 16, argumentBits: 0 };
    locatorsOf(twoRouters(draft, random)[0]).push({ prefix: 'fcfc:2::/48', structure });
    return ['fcfc:2::/48'];
  },
  'locator whose structure is too long': (draft, random) => {
    const structure = { blockBits: 32, nodeBits: 16, functionBits: 64, argumentBits: 64 };
    locatorsOf(twoRouters(draft, random)[0]).push({ prefix: 'fcfc:3::/48', structure });
    return ['fcfc:3::/48'];
  },
  'address of two nodes': (draft, random) => {
    const [a, b] = twoRouters(draft, random);
    b['address'] = a['address'];
    return [text(a['address'])];
  },
  'interface address of two nodes': (draft, random) => {
    const [first, second] = random.chance(0.5) ? [draft.links[0], draft.links[2]] : [draft.links[1], draft.links[3]];
    const [address] = (first?.['forward'] as { interfaceAddresses: string[] }).interfaceAddresses;
    (second?.['forward'] as { interfaceAddresses: unknown[] }).interfaceAddresses.push(address);
    return [text(address)];
  },
  'interface address of both ends': (draft, random) => {
    const link = random.pick(draft.links);
    const [address] = (link['forward'] as { interfaceAddresses: string[] }).interfaceAddresses;
    (link['backward'] as { interfaceAddresses: unknown[] }).interfaceAddresses.push(address);
    return [text(address)];
  },
  'interface address that is a node': (draft, random) => {
    const [, b] = twoRouters(draft, random);
    const link = draft.links.find(({ between }) => !(between as unknown[]).includes(b['id'])) ?? {};
    (link['forward'] as { interfaceAddresses: unknown[] }).interfaceAddresses.push(b['address']);
    return [text(b['address'])];
  },
  'pod prefix of two hosts': (draft) => {
    const [a, b] = hostsOf(draft);
    const [prefix] = a?.['podPrefixes'] as string[];
    (b?.['podPrefixes'] as unknown[]).push(prefix);
    return [text(prefix)];
  },
  'pod prefix with host bits': (draft) => {
    (hostsOf(draft)[0]?.['podPrefixes'] as unknown[]).push('10.250.0.1/16');
    return ['10.250.0.1/16'];
  },
  'delays out of order': (draft, random) => {
    const link = random.pick(draft.links);
    Object.assign(link, { delayMinUs: 9_000_000, delayUs: 10, delayMaxUs: 5 });
    return [(link['between'] as string[]).join(':')];
  },
  'more reservable than there is': (draft, random) => {
    const link = random.pick(draft.links);
    Object.assign(link, { reservableBandwidthBps: 0.5 });
    return ['0.5'];
  },
  'algorithm twice': (draft, random) => {
    const [a] = twoRouters(draft, random);
    a['flexAlgorithms'] = [{ algorithm: 128 }, { algorithm: 128 }];
    return ['128'];
  },
  'host that defines an algorithm': (draft, random) => {
    const host = random.pick(hostsOf(draft));
    host['flexAlgorithms'] = [{ algorithm: 129, definition: { metricType: 'te' } }];
    return ['129'];
  },
  'too many affinities': (draft) => {
    draft.links.forEach((link, i) => (link['affinities'] = Array.from({ length: 100 }, (_, k) => `a${i}-${k}`)));
    return ['256'];
  },
  'half a place': (draft, random) => {
    random.pick(draft.nodes)['latitude'] = 1;
    return ['latitude', 'longitude'];
  },
  'another version': (draft) => {
    draft.rest['waymark'] = 2;
    return ['waymark'];
  },
  'unknown field': (draft, random) => {
    random.pick(draft.nodes)['locater'] = [];
    return ['locater'];
  },
  'prototype as id': (draft, random) => {
    random.pick(draft.nodes)['id'] = '__proto__';
    return ['__proto__'];
  },
  'plan outside of what there is': (draft) => {
    draft.rest['sidPlan'] = { block: 'fcfa::/120', nodeBits: 32 };
    draft.nodes.push({ id: 'zz-plan' });
    return ['sidPlan', 'fcfa::/120'];
  },
} as const satisfies Record<string, Plant>;

export const topologyContradictions = Object.keys(plants) as (keyof typeof plants)[];

/** A file with one contradiction, or once in ten without any. */
export function contradictoryTopology(random: Random, operation: Operation): HttpCase {
  const draft = soundDraft(random);
  const isSound = random.chance(0.1);
  const planted = random.pick(topologyContradictions);
  const names = isSound ? [] : plants[planted](draft, random);
  const content = JSON.stringify({ ...draft.rest, nodes: draft.nodes, links: draft.links }, null, random.pick([0, 1]));
  const body = Buffer.from(JSON.stringify({ format: 'native', source: 'fuzz', content }));
  const url = `${operation.path}${isSound ? '?dryRun=true' : ''}`;
  const made = { operation, method: 'POST', url, headers: { 'content-type': 'application/json' }, body };
  return isSound
    ? httpCase({ kind: 'sound topology', ...made, mustAccept: true })
    : httpCase({ kind: `topology: ${planted}`, ...made, names });
}
