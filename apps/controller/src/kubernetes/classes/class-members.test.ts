import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ClassMember } from '../../model/service-class.js';
import { labelledClass } from './class-label.js';
import { classMembers, MAX_CLASS_MEMBERS } from './class-members.js';
import { classNamespace, classPod } from './class-objects.js';

const hosts = new Map([
  ['n1', 'host-1'],
  ['n2', 'host-2'],
]);

const label = (value: string | undefined) => (value === undefined ? {} : { labels: { 'waymark.dev/color': value } });
const namespace = (name: string, value?: string) =>
  classNamespace({ metadata: { name, resourceVersion: '1', ...label(value) } });

interface PodMore {
  readonly label?: string;
  readonly node?: string;
  readonly deleting?: boolean;
  readonly spec?: object;
  readonly phase?: string;
}

function pod(path: string, ips: readonly unknown[], more: PodMore = {}) {
  const [space = '', name = ''] = path.split('/');
  const metadata = {
    ...{ name, namespace: space, resourceVersion: '1', ...label(more.label) },
    ...(more.deleting === true ? { deletionTimestamp: '2026-01-01T00:00:00Z' } : {}),
  };
  const spec = { nodeName: more.node ?? 'n1', ...more.spec };
  const status = { phase: more.phase ?? 'Running', podIPs: ips.map((ip) => ({ ip })) };
  return classPod({ metadata, spec, status } as never);
}

function found(
  namespaces: ReturnType<typeof namespace>[],
  pods: ReturnType<typeof pod>[],
  stated: readonly ClassMember[] = [],
  unlisted: readonly string[] = [],
  believesLoss = false,
) {
  const { members, problems } = classMembers({
    seen: { namespaces, pods, unlisted: new Set(unlisted) },
    ...{ hosts, stated, believesLoss },
  });
  return {
    members: members.map(({ headend, address, color }) => `${headend} ${address} ${color}`),
    problems: problems.map(({ object, message }) => `${object}: ${message}`),
  };
}

const stated = (address: string, path: string, color = 200): ClassMember => {
  const [space = '', name = ''] = path.split('/');
  return { headend: 'host-1', address, color, namespace: space, pod: name };
};

describe('a label', () => {
  it.each(['1', '200', '4294967295'])('%s is a color', (value) => {
    expect(labelledClass({ 'waymark.dev/color': value })).toEqual({ kind: 'color', color: Number(value) });
  });
  it.each(['0', '-1', '01', '4294967296', '99999999999', '1.5', '1e3', 'gold', ' 1', '٣'])('"%s" is none', (value) => {
    expect(labelledClass({ 'waymark.dev/color': value })).toEqual({ kind: 'invalid', value });
  });
  it('that is empty or missing is no class', () => {
    expect(labelledClass({ 'waymark.dev/color': '' })).toEqual({ kind: 'none', value: '' });
    expect(labelledClass({})).toEqual({ kind: 'none', value: null });
    expect(labelledClass(undefined)).toEqual({ kind: 'none', value: null });
  });
});

describe('pods of service classes', () => {
  it('have the class of their namespace, unless their own label says another or none', () => {
    const pods = [
      pod('shop/a', ['10.1.0.1', 'FD10:1::0:1']),
      pod('shop/b', ['10.1.0.2'], { label: '300' }),
      pod('shop/c', ['10.1.0.3'], { label: '' }),
      pod('plain/d', ['10.1.0.4'], { label: '300', node: 'n2' }),
      pod('plain/e', ['10.1.0.5']),
    ];
    expect(found([namespace('shop', '200'), namespace('plain')], pods)).toEqual({
      members: ['host-1 10.1.0.1 200', 'host-1 10.1.0.2 300', 'host-1 fd10:1::1 200', 'host-2 10.1.0.4 300'],
      problems: [],
    });
  });

  it('are in none on the network of their host, when they have ended, and before they have a node and an address', () => {
    const pods = [
      pod('shop/a', ['192.0.2.1'], { spec: { hostNetwork: true } }),
      pod('shop/b', ['10.1.0.2'], { phase: 'Succeeded' }),
      pod('shop/c', ['10.1.0.3'], { phase: 'Failed' }),
      pod('shop/d', []),
      pod('shop/e', ['10.1.0.5'], { spec: { nodeName: undefined } }),
      pod('shop/f', ['10.1.0.6'], { phase: 'Pending' }),
      pod('shop/g', ['10.1.0.7'], { deleting: true }),
    ];
    expect(found([namespace('shop', '200')], pods)).toEqual({
      members: ['host-1 10.1.0.6 200', 'host-1 10.1.0.7 200'],
      problems: [],
    });
  });

  it('with labels that are no color, or on a node that is no host, are told and in none; others stay', () => {
    const pods = [
      pod('shop/a', ['10.1.0.1']),
      pod('shop/b', ['10.1.0.2'], { label: 'gold' }),
      pod('shop/c', ['10.1.0.3'], { label: 'gold' }),
      pod('shop/d', ['10.1.0.4'], { node: 'n9' }),
      pod('shop/e', ['10.1.0.5'], { node: 'n9' }),
      pod('shop/f', ['10.1.0.999', '10.1.0.6']),
      pod('typo/g', ['10.1.0.7']),
      pod('typo/h', ['10.1.0.8'], { label: '300' }),
    ];
    const remedy = 'which is no color: give a whole number from 1 to 4294967295';
    expect(found([namespace('shop', '200'), namespace('typo', 'x')], pods)).toEqual({
      members: ['host-1 10.1.0.1 200', 'host-1 10.1.0.6 200', 'host-1 10.1.0.8 300'],
      problems: [
        `Namespace typo: its label waymark.dev/color is "x", ${remedy}`,
        `Pod shop/b: its label waymark.dev/color is "gold", ${remedy} (and 1 more like it)`,
        'Node n9: it is no host of this cluster, so pod shop/d is in no service class (and 1 more like it)',
        'Pod shop/f: one of its podIPs is not an IP address',
      ],
    });
  });

  it('that claim one address: one that stays, else who had it, else the first keeps it, and the other is told', () => {
    const all = [namespace('shop', '200')];
    const told = (loser: string, winner: string) =>
      `Pod shop/${loser}: its address 10.1.0.1 is also that of pod shop/${winner}, which keeps it`;
    const two = [pod('shop/a', ['10.1.0.1']), pod('shop/b', ['10.1.0.1'], { label: '300' })];
    expect(found(all, two)).toEqual({ members: ['host-1 10.1.0.1 200'], problems: [told('b', 'a')] });
    expect(found(all, two, [stated('10.1.0.1', 'shop/b', 300)])).toEqual({
      members: ['host-1 10.1.0.1 300'],
      problems: [told('a', 'b')],
    });
    const leaving = [
      pod('shop/a', ['10.1.0.1'], { deleting: true }),
      pod('shop/b', ['10.1.0.1'], { label: '300', node: 'n2' }),
    ];
    expect(found(all, leaving, [stated('10.1.0.1', 'shop/a')])).toEqual({
      members: ['host-2 10.1.0.1 300'],
      problems: [],
    });
  });

  it('stay as they were while those of their namespace are not listed yet', () => {
    const before = [stated('10.1.0.1', 'shop/a'), stated('10.1.0.2', 'shop/b'), stated('10.1.0.3', 'old/c')];
    const pods = [pod('shop/b', ['10.1.0.2'], { label: '300' })];
    expect(found([namespace('shop', '400'), namespace('old')], pods, before, ['shop']).members).toEqual([
      'host-1 10.1.0.1 200',
      'host-1 10.1.0.2 300',
    ]);
  });

  it('lose their class when labels are taken off, of however many; not when most namespaces are gone', () => {
    const before = ['a', 'b', 'c', 'd'].map((name, i) => stated(`10.1.0.${i}`, `${name}/p`));
    const present = ['a', 'b', 'c', 'd'].map((name) => namespace(name));
    expect(found(present, [], before)).toEqual({ members: [], problems: [] });
    expect(found(present.slice(0, 2), [], before)).toEqual({ members: [], problems: [] });
    const { members, problems } = found(present.slice(0, 1), [], before);
    expect(members).toEqual(['host-1 10.1.0.1 200', 'host-1 10.1.0.2 200', 'host-1 10.1.0.3 200']);
    expect(problems.map((text) => text.slice(0, 12))).toEqual(['Namespace b:', 'Namespace c:', 'Namespace d:']);
    expect(found(present.slice(0, 1), [], before, [], true)).toEqual({ members: [], problems: [] });
    // Another pod may have got the address by now.
    const reused = pod('a/new', ['10.1.0.1'], { label: '300' });
    expect(found(present.slice(0, 1), [reused], before).members).toContain('host-1 10.1.0.1 300');
  });

  it('are cut off where a message to the headend would be too long', () => {
    const many = Array.from({ length: MAX_CLASS_MEMBERS + 2 }, (_, i) =>
      pod(`shop/p${i}`, [`fd10::${i.toString(16)}`]),
    );
    const { members, problems } = found([namespace('shop', '200')], many);
    expect(members).toHaveLength(MAX_CLASS_MEMBERS);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain('class 200 has 10000 addresses on host-1 already (and 1 more like it)');
  });

  it('are read from whatever an API server may send', () => {
    fc.assert(
      fc.property(fc.anything(), fc.anything(), fc.anything(), (spec, status, labels) => {
        const metadata = { name: 'p', namespace: 'shop', resourceVersion: '1', labels };
        const some = classPod({ metadata, spec, status } as never);
        found([namespace('shop', '200')], [some]);
      }),
      { numRuns: 1_000 },
    );
  });

  it('are the same in whatever order pods come, each address once', () => {
    const anyPod = fc.record({
      path: fc.constantFrom('shop/a', 'shop/b', 'plain/c', 'plain/d'),
      ips: fc.uniqueArray(fc.constantFrom('10.1.0.1', '10.1.0.2', 'fd10::1', 'fd10:0::1'), { maxLength: 2 }),
      label: fc.constantFrom(undefined, '', '300', 'gold'),
      node: fc.constantFrom('n1', 'n2', 'n9'),
      deleting: fc.boolean(),
    });
    const some = fc.uniqueArray(anyPod, { selector: ({ path }) => path });
    fc.assert(
      fc.property(some, (drafts) => {
        const pods = drafts.map(({ path, ips, label: value, ...more }) =>
          pod(path, ips, { ...more, ...(value === undefined ? {} : { label: value }) }),
        );
        const spaces = [namespace('shop', '200'), namespace('plain')];
        const { members } = found(spaces, pods);
        expect(found(spaces, [...pods].reverse()).members).toEqual(members);
        const addresses = members.map((text) => text.split(' ')[1]);
        expect(new Set(addresses).size).toBe(addresses.length);
      }),
      { numRuns: 2_000 },
    );
  });
});
