import { describe, expect, it } from 'vitest';
import type { Ted } from '@waymark/topology';
import { diamond, withLinkDown, withLinks, withNodes } from '../testing/sketched-network.js';
import { ChangeTeller, type ChangedElement } from './tell-changes.js';

function tell(kind: ChangedElement['kind'], id: string, after: Ted, before = diamond()): string {
  return new ChangeTeller(before, after).tell({ kind, id }).summary;
}

const drained = { adminState: 'drained' as const };
const h2 = diamond().nodes.find(({ id }) => id === 'h2');
const sids = h2?.sids ?? [];
const confirmedH2 = withNodes(diamond(), {
  h2: { sids: sids.map((sid) => ({ ...sid, origin: 'operator' as const })) },
});
const plannedH2 = withNodes(diamond(), { h2: { sids: sids.map((sid) => ({ ...sid, origin: 'planned' as const })) } });

const NOTHING_ADVERTISED = { teMetric: null, delayMinUs: null, affinities: [], srlgs: [] };

describe('a change of the topology in words', () => {
  it.each<[string, string, string]>([
    ['a link that fails', tell('link', 'a:b', withLinkDown(diamond(), 'a:b')), 'link a:b went down'],
    ['one that returns', tell('link', 'a:b', diamond(), withLinkDown(diamond(), 'a:b')), 'link a:b came up'],
    [
      'one whose other direction fails',
      tell('link', 'a:b', withLinks(diamond(), { 'b:a': { operationalState: 'down' } })),
      'link b:a went down',
    ],
    [
      'one whose node fails',
      tell('link', 'a:b', withNodes(diamond(), { b: { operationalState: 'down' } })),
      'node b went down',
    ],
    ['one whose node is drained', tell('link', 'a:b', withNodes(diamond(), { b: drained })), 'node b was drained'],
    ['a drained link', tell('link', 'a:b', withLinks(diamond(), { 'a:b': drained })), 'link a:b was drained'],
    [
      'the end of a drain',
      tell('link', 'a:b', diamond(), withLinks(diamond(), { 'a:b': drained })),
      'link a:b was put back into use',
    ],
    [
      'values',
      tell('link', 'a:b', withLinks(diamond(), { 'a:b': { igpMetric: 30, delayUs: null } })),
      'link a:b has IGP metric 30 instead of 10, has TE metric 30 instead of 10, has delay unknown instead of 1000 us',
    ],
    [
      'affinities',
      tell('link', 'a:b', withLinks(diamond(), { 'a:b': { affinities: ['x'] } })),
      'link a:b has other affinities',
    ],
    [
      'a link that is removed',
      tell('link', 'a:b', { ...diamond(), links: diamond().links.filter(({ id }) => id !== 'a:b') }),
      'link a:b left the topology',
    ],
    [
      'a host that restarted',
      tell('node', 'h2', withNodes(diamond(), { h2: { sids: sids.map((sid) => ({ ...sid, sid: `${sid.sid}9` })) } })),
      'node h2 has other service SIDs',
    ],
    [
      'an agent that carries less',
      tell('node', 'h1', withNodes(diamond(), { h1: { msdHEncaps: 2 } })),
      'node h1 has MSD 2 instead of 10',
    ],
    [
      'a router that processes less',
      tell('node', 'a', withNodes(diamond(), { a: { msdSegmentsLeft: 2 } })),
      'node a has maximum Segments Left 2 instead of unknown',
    ],
    [
      'pod prefixes',
      tell('node', 'h2', withNodes(diamond(), { h2: { podPrefixes: [] } })),
      'node h2 has other pod prefixes',
    ],
    [
      'flexible algorithms',
      tell('node', 'b', withNodes(diamond(), { b: { flexAlgorithms: [{ algorithm: 128, definition: null }] } })),
      'node b has other flexible algorithms',
    ],
    [
      'values that only routers go by',
      tell('link', 'a:b', withLinks(diamond(), { 'a:b': { advertised: { ...NOTHING_ADVERTISED, delayMinUs: 7 } } })),
      'link a:b has other values advertised by routers',
    ],
    ['confirmed SIDs', tell('node', 'h2', confirmedH2, plannedH2), 'node h2 had its planned SIDs confirmed'],
  ])('tells of %s', (_what, told, expected) => {
    expect(told).toBe(expected);
  });
});
