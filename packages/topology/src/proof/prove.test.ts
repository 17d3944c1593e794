import { describe, expect, it } from 'vitest';
import type { Proof, ProofRequirement } from '../model/proof.js';
import type { Locator, TedLink } from '../model/ted.js';
import { freezeSnapshot } from '../snapshot/freeze-snapshot.js';
import { buildTed, type LinkSpec, type NodeSpec } from '../testing/build-ted.js';
import { prove } from './prove.js';

//        b        every link igp 10, delay 1000, so a to d is split over b and c
// h1 - a   d - h2
//        c
const links: readonly LinkSpec[] = [
  { between: 'a-b', affinities: ['red'] },
  { between: 'a-c' },
  { between: 'b-d' },
  { between: 'c-d', srlgs: [7], delayUs: 3000 },
  { between: 'h1-a' },
  { between: 'd-h2' },
];
const names = ['a', 'b', 'c', 'd', 'h1', 'h2'];
const END_D = 'fd00:0:4:1::';
const SERVICE = 'fd00:0:6:d4::';

interface Case {
  readonly sids?: readonly string[];
  readonly requirement?: Partial<ProofRequirement>;
  readonly link?: readonly [id: string, change: Partial<TedLink>];
  readonly node?: Partial<NodeSpec> & { readonly id: string };
}

function run({ sids = [END_D, SERVICE], requirement = {}, link, node }: Case): Proof {
  const ted = buildTed(
    names.map((id) => (node?.id === id ? node : id)),
    links,
  );
  const changed = ted.links.map((entry) => (entry.id === link?.[0] ? { ...entry, ...link[1] } : entry));
  const snapshot = freezeSnapshot({ ...ted, links: changed });
  return prove(snapshot, sids, { headend: 'h1', destination: 'h2', ...requirement });
}

describe('a proof', () => {
  it('walks both branches and splits the load evenly', () => {
    const proof = run({});
    expect(proof).toMatchObject({ ok: true, singlePath: false, worst: { delayUs: 6000 }, best: { delayUs: 4000 } });
    expect(proof.load.filter(({ linkId }) => linkId !== 'h1:a' && linkId !== 'd:h2')).toEqual([
      { linkId: 'a:b', share: 0.5 },
      { linkId: 'a:c', share: 0.5 },
      { linkId: 'b:d', share: 0.5 },
      { linkId: 'c:d', share: 0.5 },
    ]);
  });

  it('reads any spelling of a SID', () => {
    expect(run({ sids: ['FD00:0:4:1:0:0:0:0', SERVICE] }).ok).toBe(true);
  });

  it.each<[string, Case]>([
    ['a SID that nobody owns', { sids: ['fd00::dead', SERVICE] }],
    ['text that is no address', { sids: ['End of d'] }],
  ])('refuses %s', (_, given) => {
    expect(run(given).violation).toMatchObject({ kind: 'unknown-sid', segmentIndex: 0 });
  });

  it.each<[string, Case, object]>([
    ['an attachment-scope SID far from its host', { sids: [SERVICE] }, { kind: 'not-routed', node: 'a' }],
    ['a list that ends elsewhere', { sids: [END_D] }, { kind: 'not-delivered', node: 'd' }],
    ['an empty list', { sids: [] }, { kind: 'not-delivered' }],
    ['a service SID before the end', { sids: [END_D, SERVICE, END_D] }, { kind: 'not-delivered', node: 'h2' }],
    ['End.X as the last SID', { sids: ['fd00:0:4:e002::'] }, { kind: 'not-delivered', node: 'd' }],
    [
      'transit through a host',
      { sids: ['fd00:0:1:e002::', END_D, SERVICE] },
      { kind: 'host-transit', node: 'h1', segmentIndex: 1 },
    ],
    [
      'End.X over a link that is down',
      { sids: ['fd00:0:1:e000::', END_D, SERVICE], link: ['b:a', { operationalState: 'down' }] },
      { kind: 'link-down', link: 'a:b' },
    ],
    ['a headend that is down', { node: { id: 'h1', operationalState: 'down' } }, { kind: 'link-down', node: 'h1' }],
    ['a headend that cannot push so many', { requirement: { maxSegments: 0 } }, { kind: 'msd-exceeded', node: 'h1' }],
    [
      'full encapsulation, which needs one entry more',
      { node: { id: 'h1', encapMode: 'full', msdHEncaps: 1 } },
      { kind: 'msd-exceeded' },
    ],
  ])('refuses %s, without any constraint', (_, given, violation) => {
    expect(run(given).violation).toMatchObject(violation);
  });

  it.each<[string, Case, object]>([
    [
      'a bound that only the worst branch exceeds',
      { requirement: { constraints: { bounds: [{ metric: 'delay', max: 5999 }] } } },
      { kind: 'metric-bound-exceeded' },
    ],
    [
      'an affinity on one branch',
      { requirement: { constraints: { affinities: { excludeAny: ['red'] } } } },
      { kind: 'affinity-excluded', link: 'a:b' },
    ],
    [
      'a missing affinity',
      { requirement: { constraints: { affinities: { includeAny: ['red'] } } } },
      { kind: 'affinity-excluded', link: 'h1:a' },
    ],
    ['an SRLG', { requirement: { constraints: { exclude: { srlgs: [7] } } } }, { kind: 'srlg-excluded', link: 'c:d' }],
    [
      'an excluded node on one branch',
      { requirement: { constraints: { exclude: { nodes: ['c'] } } } },
      { kind: 'resource-excluded', node: 'c' },
    ],
    [
      'an excluded link',
      { requirement: { constraints: { exclude: { links: ['b:d'] } } } },
      { kind: 'resource-excluded', link: 'b:d' },
    ],
    [
      'an include that one branch misses',
      { requirement: { constraints: { include: [{ node: 'b' }] } } },
      { kind: 'include-missed' },
    ],
    [
      'includes in the wrong order',
      { requirement: { constraints: { include: [{ node: 'd' }, { link: 'h1:a' }] } } },
      { kind: 'include-missed' },
    ],
    [
      'a link too narrow for its share',
      { requirement: { constraints: { bandwidthBps: 10 } }, link: ['a:b', { bandwidthBps: 4 }] },
      { kind: 'insufficient-bandwidth', link: 'a:b' },
    ],
    [
      'a link of unknown bandwidth',
      { requirement: { constraints: { bandwidthBps: 1 } }, link: ['a:c', { bandwidthBps: null }] },
      { kind: 'insufficient-bandwidth', link: 'a:c' },
    ],
    [
      'a drained link',
      { requirement: { constraints: {} }, link: ['a:c', { adminState: 'drained' }] },
      { kind: 'admin-state', link: 'a:c' },
    ],
    [
      'a node that is down by the operator',
      { requirement: { constraints: {} }, node: { id: 'c', adminState: 'down' } },
      { kind: 'admin-state', node: 'c' },
    ],
    [
      'a destination that is down by the operator',
      { requirement: { constraints: {} }, node: { id: 'h2', adminState: 'down' } },
      { kind: 'admin-state', node: 'h2' },
    ],
    [
      'a bound on delay where a link has none that is known',
      { requirement: { constraints: { bounds: [{ metric: 'delay', max: 9e9 }] } }, link: ['c:d', { delayUs: null }] },
      { kind: 'metric-bound-exceeded' },
    ],
    [
      'more than five SRH entries where nobody knows what the headend can push',
      { sids: [END_D, END_D, END_D, END_D, END_D, END_D, SERVICE], node: { id: 'h1', msdHEncaps: null } },
      { kind: 'msd-exceeded' },
    ],
    [
      'an MTU that leaves less than IPv6 needs',
      { requirement: { constraints: {} }, link: ['b:d', { mtuBytes: 1343 }] },
      { kind: 'mtu-exceeded', link: 'b:d' },
    ],
  ])('refuses %s', (_, given, violation) => {
    expect(run(given).violation).toMatchObject(violation);
  });

  it.each<[string, Case]>([
    [
      'a bound that the worst branch meets',
      { requirement: { constraints: { bounds: [{ metric: 'delay', max: 6000 }] } } },
    ],
    [
      'includes that every branch passes',
      { requirement: { constraints: { include: [{ link: 'h1:a' }, { node: 'd' }] } } },
    ],
    [
      'half the bandwidth on a branch that carries half',
      { requirement: { constraints: { bandwidthBps: 10 } }, link: ['a:b', { bandwidthBps: 5 }] },
    ],
    ['a drained link when there are no constraints', { link: ['a:c', { adminState: 'drained' }] }],
    [
      'a drained link when only what is down counts',
      { requirement: { honourAdminState: 'down-only' }, link: ['a:c', { adminState: 'drained' }] },
    ],
    ['a drained destination', { requirement: { constraints: {} }, node: { id: 'h2', adminState: 'drained' } }],
    ['an MTU that leaves just enough', { requirement: { constraints: {} }, link: ['b:d', { mtuBytes: 1344 }] }],
  ])('accepts %s', (_, given) => {
    expect(run(given).violation).toBeNull();
  });

  it.each<[string, Partial<Locator>, string]>([
    ['a locator of an algorithm that nobody defines', { algorithm: 128 }, 'by algorithm 128'],
    ['a prefix that another node advertises too', {}, 'not all of them say it is anycast'],
  ])('refuses a SID behind %s', (_, change, words) => {
    const ted = buildTed(names, links);
    const own = ted.nodes.find((node) => node.id === 'd')?.locators[0];
    if (own === undefined) throw new Error('d has no locator');
    const locator: Locator = { ...own, ...change };
    const isShared = Object.keys(change).length === 0;
    const nodes = ted.nodes.map((node) => {
      if (node.id === 'd') return { ...node, locators: [locator] };
      return node.id === 'c' && isShared ? { ...node, locators: [...node.locators, locator] } : node;
    });
    const proof = prove(freezeSnapshot({ ...ted, nodes }), [END_D, SERVICE], { headend: 'h1', destination: 'h2' });
    const message = expect.stringContaining(words) as string;
    expect(proof.violation).toMatchObject({ kind: 'not-routed', segmentIndex: 0, message });
  });

  it('refuses an End SID on a host, which would forward transit', () => {
    const ted = buildTed(names, links);
    const nodes = ted.nodes.map((node) => {
      const [first] = node.sids;
      const own = first === undefined ? [] : [{ ...first, sid: 'fd00:0:6:1::', behavior: 'End' as const }];
      return node.id === 'h2' ? { ...node, sids: [...own, ...node.sids] } : node;
    });
    const list = [END_D, 'fd00:0:6:1::', SERVICE];
    const proof = prove(freezeSnapshot({ ...ted, nodes }), list, { headend: 'h1', destination: 'h2' });
    expect(proof.violation).toMatchObject({ kind: 'host-transit', node: 'h2', segmentIndex: 1 });
  });

  it('refuses an End.X SID whose link is not in the topology', () => {
    const ted = buildTed(names, links);
    const gone = ted.links.filter((link) => link.id !== 'a:b' && link.id !== 'b:a');
    const list = ['fd00:0:1:e000::', END_D, SERVICE];
    const proof = prove(freezeSnapshot({ ...ted, links: gone }), list, { headend: 'h1', destination: 'h2' });
    expect(proof.violation).toMatchObject({ kind: 'link-down', node: 'a', segmentIndex: 0 });
  });

  it('holds bandwidth against what is left, when that is given', () => {
    const snapshot = freezeSnapshot(buildTed(names, links));
    const unreservedBps = snapshot.data.reservableBps.map((bps, arc) => (snapshot.linkIdOf(arc) === 'b:d' ? 4 : bps));
    const requirement = { headend: 'h1', destination: 'h2', constraints: { bandwidthBps: 10 } };
    const proof = prove(snapshot, [END_D, SERVICE], requirement, { unreservedBps });
    expect(proof.violation).toMatchObject({ kind: 'insufficient-bandwidth', link: 'b:d' });
  });

  it('sends nothing by the IGP over a router of another domain', () => {
    const proof = run({ node: { id: 'c', igpDomain: 'other' } });
    expect(proof).toMatchObject({ ok: true, singlePath: true, worst: { delayUs: 4000 } });
  });

  it('refuses a SID that two nodes own: where the packet ends up is not known', () => {
    const ted = buildTed(names, links);
    const [a, ...others] = ted.nodes;
    const sids = others.find((node) => node.id === 'd')?.sids ?? [];
    const snapshot = freezeSnapshot({ ...ted, nodes: a === undefined ? [] : [{ ...a, sids }, ...others] });
    const proof = prove(snapshot, [END_D, SERVICE], { headend: 'h1', destination: 'h2' });
    expect(proof.violation).toMatchObject({ kind: 'unknown-sid' });
  });
});
