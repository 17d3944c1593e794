import type { Ted } from '@waymark/topology';
import { describe, expect, it } from 'vitest';
import { diamond, withLinkDown, withLinks, withNodes } from '../testing/sketched-network.js';
import { tedChanges } from './ted-changes.js';

const nothing = {
  links: [],
  improved: [],
  worsened: [],
  attracting: [],
  routing: [],
  rerouting: { links: [], nodes: [] },
  transit: [],
  headends: [],
  endpoints: [],
  prefixes: [],
  hosts: false,
};

describe('what differs between two states of the topology', () => {
  it('is nothing between equal ones', () => {
    expect(tedChanges(diamond(), diamond())).toEqual(nothing);
  });

  it('is both directions of a link that went down, and of one that returned', () => {
    const cut = withLinkDown(diamond(), 'a:b');
    const links = ['a:b', 'b:a'];
    expect(tedChanges(diamond(), cut)).toEqual({ ...nothing, links, worsened: links, routing: links });
    expect(tedChanges(cut, diamond())).toEqual({
      ...nothing,
      links: ['a:b', 'b:a'],
      improved: [
        { linkId: 'a:b', returned: true },
        { linkId: 'b:a', returned: true },
      ],
      attracting: ['a:b', 'b:a'],
      routing: ['a:b', 'b:a'],
      rerouting: { links: ['a:b', 'b:a'], nodes: [] },
    });
  });

  it('is a link in both directions when only one went down', () => {
    const half = withLinks(diamond(), { 'a:b': { operationalState: 'down' } });
    expect(tedChanges(diamond(), half).worsened).toEqual(['a:b', 'b:a']);
  });

  it('is every link of a node that went down', () => {
    const dead = withNodes(diamond(), { c: { operationalState: 'down' } });
    expect(tedChanges(diamond(), dead).worsened).toEqual(['a:c', 'c:a', 'c:d', 'd:c']);
  });

  it('is every link of a node that the operator drained, or gave back', () => {
    const drained = withNodes(diamond(), { c: { adminState: 'drained' } });
    expect(tedChanges(diamond(), drained).worsened).toEqual(['a:c', 'c:a', 'c:d', 'd:c']);
    expect(tedChanges(drained, diamond()).improved.map(({ linkId }) => linkId)).toEqual(['a:c', 'c:a', 'c:d', 'd:c']);
  });

  it.each([
    ['delay', { delayUs: 500 }, { delayUs: 1500 }],
    ['bandwidth', { bandwidthBps: 20e9 }, { bandwidthBps: 5e9 }],
    ['reservable bandwidth', { reservableBandwidthBps: 11e9 }, { reservableBandwidthBps: 1e9 }],
    ['TE metric', { teMetric: 5 }, { teMetric: 15 }],
    ['admin state', {}, { adminState: 'drained' as const }],
    ['an unknown delay', {}, { delayUs: null }],
  ])('orders %s', (_what, better, worse) => {
    const good = withLinks(diamond(), { 'a:b': better });
    const bad = withLinks(diamond(), { 'a:b': worse });
    expect(tedChanges(bad, good)).toMatchObject({ improved: [{ linkId: 'a:b', returned: false }], worsened: [] });
    expect(tedChanges(good, bad)).toMatchObject({ improved: [], worsened: ['a:b'] });
  });

  it('takes other affinities for better and worse at once', () => {
    const other = withLinks(diamond(), { 'a:b': { affinities: ['gold'] } });
    expect(tedChanges(diamond(), other)).toMatchObject({ improved: [{ linkId: 'a:b' }], worsened: ['a:b'] });
  });

  it('takes the links of a node that is at another site for better and worse at once: requests exclude sites', () => {
    const moved = withNodes(diamond(), { c: { site: 'elsewhere' } });
    const links = ['a:c', 'c:a', 'c:d', 'd:c'];
    expect(tedChanges(diamond(), moved)).toMatchObject({ links, worsened: links });
    expect(tedChanges(diamond(), moved).improved.map(({ linkId }) => linkId)).toEqual(links);
  });

  it('names a link that attracts traffic of the IGP', () => {
    const cheaper = withLinks(diamond(), { 'a:c': { igpMetric: 1 } });
    expect(tedChanges(diamond(), cheaper)).toMatchObject({ attracting: ['a:c'], routing: ['a:c'] });
    expect(tedChanges(cheaper, diamond())).toMatchObject({ attracting: [], routing: ['a:c'] });
  });

  it('names what flexible algorithms go by: values that routers advertise, and who takes part', () => {
    const advertised = { teMetric: 7, delayMinUs: null, affinities: [], srlgs: [] };
    const rerouted = (ted: Ted) => tedChanges(diamond(), ted).rerouting;
    expect(rerouted(withLinks(diamond(), { 'a:b': { advertised } }))).toEqual({ links: ['a:b'], nodes: [] });
    expect(rerouted(withLinks(diamond(), { 'a:b': { delayMinUs: 5 } }))).toEqual({ links: ['a:b'], nodes: [] });
    expect(rerouted(withLinks(diamond(), { 'a:b': { delayUs: 5 } }))).toEqual({ links: [], nodes: [] });
    expect(rerouted(withLinks(diamond(), { 'a:b': { igpMetric: 1 } }))).toEqual({ links: ['a:b'], nodes: [] });
    expect(rerouted(withLinks(diamond(), { 'a:b': { igpMetric: 1000 } }))).toEqual({ links: [], nodes: [] });
    const flexAlgorithms = [{ algorithm: 128, definition: null }];
    const taking = withNodes(diamond(), { b: { flexAlgorithms } });
    expect(tedChanges(diamond(), taking)).toMatchObject({ rerouting: { links: [], nodes: ['b'] }, transit: ['b'] });
  });

  it('tells what of a node changed', () => {
    const prefixes = withNodes(diamond(), { h2: { podPrefixes: ['10.9.0.0/16'] } });
    expect(tedChanges(diamond(), prefixes)).toEqual({ ...nothing, prefixes: ['h2'] });
    const msd = withNodes(diamond(), { h1: { msdHEncaps: 3 } });
    expect(tedChanges(diamond(), msd)).toEqual({ ...nothing, headends: ['h1'] });
    for (const limit of ['msdSegmentsLeft', 'msdEndPop', 'msdEndD']) {
      const limited = withNodes(diamond(), { h2: { [limit]: 1 } });
      expect(tedChanges(diamond(), limited)).toEqual({ ...nothing, endpoints: ['h2'], transit: ['h2'] });
    }
    const sids = withNodes(diamond(), { h2: { sids: [] } });
    const rerouting = { links: [], nodes: ['h2'] };
    expect(tedChanges(diamond(), sids)).toEqual({ ...nothing, endpoints: ['h2'], transit: ['h2'], rerouting });
    const gone = { ...diamond(), nodes: diamond().nodes.filter(({ id }) => id !== 'h3') };
    expect(tedChanges(diamond(), gone)).toMatchObject({ hosts: true, endpoints: ['h3'], worsened: ['b:h3', 'h3:b'] });
  });
});
