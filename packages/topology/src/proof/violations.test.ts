import { describe, expect, it } from 'vitest';
import type { ProofRequirement, Violation } from '../model/proof.js';
import type { PathConstraints } from '../model/path-request.js';
import type { Locator, SidFlavor, Ted, TedLink, TedNode } from '../model/ted.js';
import { freezeSnapshot } from '../snapshot/freeze-snapshot.js';
import { buildTed, type NodeSpec } from '../testing/build-ted.js';
import { prove } from './prove.js';

//        b        every link igp 10, so a to d is split over b and c
// h1 - a   d - h2
//        c
const links = ['a-b', 'a-c', 'b-d', 'c-d', 'h1-a', 'd-h2'].map((between) => ({ between }));
const names = ['a', 'b', 'c', 'd', 'h1', 'h2'];
const END_D = 'fd00:0:4:1::';
const SERVICE = 'fd00:0:6:d4::';

interface Case {
  readonly sids?: readonly string[];
  readonly requirement?: Partial<ProofRequirement>;
  readonly link?: Partial<TedLink> & { readonly id: string };
  readonly node?: NodeSpec;
  readonly ted?: (ted: Ted) => Ted;
}

function violationOf({ sids = [END_D, SERVICE], requirement = {}, link, node, ted = (same) => same }: Case) {
  const built = buildTed(
    names.map((id) => (node?.id === id ? node : id)),
    links,
  );
  const changed = built.links.map((entry) => (entry.id === link?.id ? { ...entry, ...link } : entry));
  const snapshot = freezeSnapshot(ted({ ...built, links: changed }));
  return prove(snapshot, sids, { headend: 'h1', destination: 'h2', ...requirement }).violation;
}

function at(
  kind: Violation['kind'],
  message: string,
  segmentIndex: number | null,
  node: string | null,
  link: string | null,
): Violation {
  return { kind, message, segmentIndex, node, link };
}

const asked = (constraints: PathConstraints): Case => ({ requirement: { constraints } });

function withLocator(id: string, change: Partial<Locator>): Case {
  return changing(id, (node) => ({ ...node, locators: node.locators.map((locator) => ({ ...locator, ...change })) }));
}

function changing(id: string, change: (node: TedNode, ted: Ted) => TedNode): Case {
  const ted = (given: Ted): Ted => ({
    ...given,
    nodes: given.nodes.map((node) => (node.id === id ? change(node, given) : node)),
  });
  return { ted };
}

function withFlavor(flavor: SidFlavor, limits: Partial<TedNode>): (node: TedNode) => TedNode {
  return (node) => ({ ...node, ...limits, sids: node.sids.map((sid) => ({ ...sid, flavors: [flavor] })) });
}

/** All of it, because an operator reads all of it. */
describe('a violation says what is wrong, in which segment, at which node and link', () => {
  it.each<[string, Case, Violation]>([
    [
      'unknown headend',
      { requirement: { headend: 'h9' } },
      at('not-delivered', 'h9 or h2 is not in the topology', null, null, null),
    ],
    [
      'unknown destination',
      { requirement: { destination: 'h9' } },
      at('not-delivered', 'h1 or h9 is not in the topology', null, null, null),
    ],
    [
      'headend as destination',
      { requirement: { destination: 'h1' } },
      at('not-delivered', 'h1 is both headend and destination', null, null, null),
    ],
    ['unknown SID', { sids: [END_D, 'fd00::dead'] }, at('unknown-sid', 'nobody owns fd00::dead', 1, null, null)],
    [
      'a SID of two nodes',
      {
        ...changing('a', (a, ted) => ({ ...a, sids: ted.nodes.find(({ id }) => id === 'd')?.sids ?? [] })),
      },
      at('unknown-sid', 'fd00:0:4:1:: is owned by several nodes', 0, null, null),
    ],
    ['an empty list', { sids: [] }, at('not-delivered', 'the list is empty', null, null, null)],
    [
      'a headend that is down',
      { node: { id: 'h1', operationalState: 'down' } },
      at('link-down', 'headend h1 is down', null, 'h1', null),
    ],
    [
      'a headend without a link',
      { link: { id: 'h1:a', operationalState: 'down' } },
      at('link-down', 'host h1 has no usable link', null, 'h1', null),
    ],
    [
      'too many entries',
      { requirement: { maxSegments: 0 } },
      at('msd-exceeded', 'h1 would push 1 SRH entries; it can push 0', null, 'h1', null),
    ],
    [
      'an unknown MSD',
      { sids: [END_D, END_D, END_D, END_D, END_D, END_D, SERVICE], node: { id: 'h1', msdHEncaps: null } },
      at('msd-exceeded', 'h1 would push 6 SRH entries; it can push 5', null, 'h1', null),
    ],
    [
      'an endpoint that cannot process so many Segments Left',
      { sids: [END_D, END_D, SERVICE], node: { id: 'd', msdSegmentsLeft: 1 } },
      at('msd-exceeded', 'd would process fd00:0:4:1:: with Segments Left 2; its maximum is 1', 0, 'd', null),
    ],
    [
      'an endpoint that cannot remove the SRH',
      changing('d', withFlavor('PSP', { msdEndPop: 0 })),
      at('msd-exceeded', 'd would remove 1 SRH entries at fd00:0:4:1:: (PSP); its maximum End Pop is 0', 0, 'd', null),
    ],
    [
      'a last endpoint that cannot remove the SRH',
      {
        ...changing('d', withFlavor('USP', { msdEndPop: 1 })),
        sids: ['fd00:0:1:1::', 'fd00:0:2:1::', END_D],
        requirement: { destination: 'd' },
      },
      at('msd-exceeded', 'd would remove 2 SRH entries at fd00:0:4:1:: (USP); its maximum End Pop is 1', 2, 'd', null),
    ],
    [
      'a destination that cannot decapsulate',
      { node: { id: 'h2', msdEndD: 0 } },
      at('msd-exceeded', 'h2 would decapsulate 1 SRH entries at fd00:0:6:d4::; its maximum End D is 0', 1, 'h2', null),
    ],
    [
      'a router that cannot decapsulate',
      {
        ...changing('d', withFlavor('USD', { msdEndD: 0 })),
        sids: ['fd00:0:1:1::', END_D],
        requirement: { destination: 'd' },
      },
      at('msd-exceeded', 'd would decapsulate 1 SRH entries at fd00:0:4:1::; its maximum End D is 0', 1, 'd', null),
    ],
    ['no route', { sids: [SERVICE] }, at('not-routed', 'a has no route to fd00:0:6:d4:: of h2', 0, 'a', null)],
    [
      'a locator without its owner reachable',
      {
        ted: (ted) => ({
          ...ted,
          links: ted.links.map((link) =>
            link.from === 'd' || link.to === 'd' ? { ...link, operationalState: 'down' as const } : link,
          ),
        }),
      },
      at('not-routed', 'a has no route to fd00:0:4:1:: of d', 0, 'a', null),
    ],
    [
      'flexible algorithm',
      withLocator('d', { algorithm: 128 }),
      at('not-routed', 'a has no route to fd00:0:4:1:: of d by algorithm 128, in which it takes no part', 0, 'a', null),
    ],
    [
      'a more specific locator elsewhere',
      {
        ...changing('c', (c) => ({
          ...c,
          locators: [...c.locators, ...c.locators.map((own) => ({ ...own, prefix: 'fd00:0:4:1::/64' }))],
        })),
      },
      at('not-routed', 'fd00:0:4:1:: is in the locator of c, which has no such SID', 0, 'c', null),
    ],
    [
      'a host in the way',
      { sids: ['fd00:0:1:e002::', END_D, SERVICE] },
      at('host-transit', 'host h1 would have to forward to fd00:0:4:1::', 1, 'h1', null),
    ],
    [
      'an End SID on a host',
      {
        sids: [END_D, 'fd00:0:6:1::', SERVICE],
        ...changing('h2', (h2) => ({
          ...h2,
          sids: [
            ...h2.sids,
            ...h2.sids.slice(0, 1).map((sid) => ({ ...sid, sid: 'fd00:0:6:1::', behavior: 'End' as const })),
          ],
        })),
      },
      at('host-transit', 'host h2 would have to process fd00:0:6:1:: as transit', 1, 'h2', null),
    ],
    ['an end elsewhere', { sids: [END_D] }, at('not-delivered', 'the list ends at d, not at h2', 0, 'd', null)],
    [
      'decapsulation too early',
      { sids: [END_D, SERVICE, END_D] },
      at('not-delivered', 'fd00:0:6:d4:: (End.DT4) decapsulates before the list ends', 1, 'h2', null),
    ],
    [
      'End.X last',
      { sids: ['fd00:0:4:e002::'] },
      at('not-delivered', 'the list ends in fd00:0:4:e002:: (End.X), which leaves no SID to deliver to', 0, 'd', null),
    ],
    [
      'End.X over a link that is down',
      { sids: ['fd00:0:1:e000::', END_D, SERVICE], link: { id: 'b:a', operationalState: 'down' } },
      at('link-down', 'link a:b of fd00:0:1:e000:: (End.X) is down', 0, 'a', 'a:b'),
    ],
    [
      'End.X over no link',
      {
        sids: ['fd00:0:1:e000::', END_D, SERVICE],
        ted: (ted) => ({ ...ted, links: ted.links.filter(({ id }) => id !== 'a:b' && id !== 'b:a') }),
      },
      at('link-down', 'the link of fd00:0:1:e000:: (End.X) is not in the topology', 0, 'a', null),
    ],
    [
      'excluded node',
      asked({ exclude: { nodes: ['c'] } }),
      at('resource-excluded', 'node c is excluded', 0, 'c', null),
    ],
    [
      'excluded link',
      asked({ exclude: { links: ['b:d'] } }),
      at('resource-excluded', 'link b:d is excluded', 0, 'b', 'b:d'),
    ],
    [
      'excluded SRLG',
      { ...asked({ exclude: { srlgs: [6, 7] } }), link: { id: 'c:d', srlgs: [7, 8] } },
      at('srlg-excluded', 'link c:d is in SRLG 7', 0, 'c', 'c:d'),
    ],
    [
      'node down',
      { ...asked({}), node: { id: 'c', adminState: 'down' } },
      at('admin-state', 'node c is down by the operator', 0, 'c', null),
    ],
    [
      'node drained',
      { ...asked({}), node: { id: 'c', adminState: 'drained' } },
      at('admin-state', 'node c is drained by the operator', 0, 'c', null),
    ],
    [
      'headend down',
      { ...asked({}), node: { id: 'h1', adminState: 'down' } },
      at('admin-state', 'node h1 is down by the operator', 0, 'h1', null),
    ],
    [
      'link down',
      { ...asked({}), link: { id: 'b:d', adminState: 'down' } },
      at('admin-state', 'link b:d is down by the operator', 0, 'b', 'b:d'),
    ],
    [
      'link down, down-only',
      { requirement: { honourAdminState: 'down-only' }, link: { id: 'b:d', adminState: 'down' } },
      at('admin-state', 'link b:d is down by the operator', 0, 'b', 'b:d'),
    ],
    [
      'link drained',
      { ...asked({}), link: { id: 'b:d', adminState: 'drained' } },
      at('admin-state', 'link b:d is drained by the operator', 0, 'b', 'b:d'),
    ],
    [
      'lacks',
      asked({ affinities: { includeAll: ['gold'] } }),
      at('affinity-excluded', 'link h1:a lacks affinity gold', 0, 'h1', 'h1:a'),
    ],
    [
      'has',
      { ...asked({ affinities: { excludeAny: ['blue', 'red'] } }), link: { id: 'a:b', affinities: ['red'] } },
      at('affinity-excluded', 'link a:b has affinity red', 0, 'a', 'a:b'),
    ],
    [
      'has none',
      {
        ...asked({ affinities: { includeAny: ['blue', 'red'] } }),
        ted: (ted) => ({
          ...ted,
          links: ted.links.map((link) => ({ ...link, affinities: link.id === 'c:d' ? [] : ['red'] })),
        }),
      },
      at('affinity-excluded', 'link c:d has none of the affinities blue, red', 0, 'c', 'c:d'),
    ],
    [
      'include node',
      asked({ include: [{ node: 'b' }] }),
      at('include-missed', 'not every branch passes node b in its turn', null, 'h1', null),
    ],
    [
      'include link',
      asked({ include: [{ node: 'a' }, { link: 'a:c' }] }),
      at('include-missed', 'not every branch passes link a:c in its turn', null, 'h1', null),
    ],
    [
      'narrow',
      { ...asked({ bandwidthBps: 9 }), link: { id: 'a:b', bandwidthBps: 4 } },
      at('insufficient-bandwidth', 'link a:b would carry 5 bit/s; it has 4 bit/s left', null, 'a', 'a:b'),
    ],
    [
      'unknown bw',
      { ...asked({ bandwidthBps: 1 }), link: { id: 'a:c', bandwidthBps: null } },
      at('insufficient-bandwidth', 'link a:c would carry 1 bit/s; its bandwidth is unknown', null, 'a', 'a:c'),
    ],
    [
      'mtu',
      { ...asked({}), link: { id: 'b:d', mtuBytes: 1343 } },
      at('mtu-exceeded', 'link b:d leaves 1279 bytes for the inner packet', null, 'b', 'b:d'),
    ],
    [
      'unknown metric',
      { ...asked({ bounds: [{ metric: 'delay', max: 9e9 }] }), link: { id: 'c:d', delayUs: null } },
      at('metric-bound-exceeded', 'the delay of a link is unknown', null, 'h1', null),
    ],
    [
      'bound',
      asked({
        bounds: [
          { metric: 'igp', max: 40 },
          { metric: 'hop', max: 3 },
        ],
      }),
      at('metric-bound-exceeded', 'the worst branch has hop 4, above 3', null, 'h1', null),
    ],
  ])('%s', (_, given, violation) => {
    expect(violationOf(given)).toEqual(violation);
  });

  it.each<[string, Case]>([
    [
      'a destination that reads no SRH, behind an endpoint that removes it',
      {
        ted: (ted) => ({
          ...ted,
          nodes: ted.nodes.map((node) =>
            node.id === 'd' ? withFlavor('PSP', {})(node) : node.id === 'h2' ? { ...node, msdEndD: 0 } : node,
          ),
        }),
      },
    ],
    [
      'an End SID without USD, which does not decapsulate',
      { node: { id: 'd', msdEndD: 0 }, sids: ['fd00:0:1:1::', END_D], requirement: { destination: 'd' } },
    ],
    [
      'a list of one entry, for which no SRH is pushed',
      {
        node: { id: 'd', msdEndD: 0, msdEndPop: 0, msdSegmentsLeft: 0 },
        sids: [END_D],
        requirement: { destination: 'd' },
      },
    ],
    ['a limit that is met', { node: { id: 'd', msdSegmentsLeft: 1 } }],
  ])('lets pass: %s', (_, given) => {
    expect(violationOf(given)).toBeNull();
  });
});
