import type { AddressFamily, SegmentList } from '@waymark/topology';
import { describe, expect, it } from 'vitest';
import type { PolicyState, SrPolicyView } from '../../model/sr-policy.js';
import { diamond } from '../../testing/sketched-network.js';
import { writtenConfig } from './written-config.js';

const nodes = new Map(diamond().nodes.map((node) => [node.id, node]));
const h1 = nodes.get('h1');
if (h1 === undefined) throw new Error('the diamond has a host h1');

const pods = ['10.2.0.0/16', 'fd10:2::/64'];
const service = { ipv4: 'fd00:0:6:d4::', ipv6: 'fd00:0:6:d6::' };
const upper = 'fd00:0:2:1::';
const lower = 'fd00:0:3:1::';

interface Sketch {
  readonly color?: number;
  readonly status?: PolicyState['status'];
  /** Weight and transport SIDs of each list. */
  readonly lists?: readonly (readonly [number, ...string[]])[];
  readonly planned?: boolean;
  readonly steers?: readonly string[];
  readonly explicit?: boolean;
}

function policy(sketch: Sketch = {}): SrPolicyView {
  const { color = 10, status = 'up', lists = [[1, upper]], planned = false, steers = pods, explicit = false } = sketch;
  const finished = (family: AddressFamily, via: readonly string[]) => ({
    family,
    entries: [...via, service[family]].map((address) => ({ address, sids: [address] })),
    proof: { usesPlannedSids: planned },
  });
  const state = {
    status,
    lists: lists.map(([weight, ...via]) => ({
      weight,
      segmentLists: (['ipv4', 'ipv6'] as const).map((family) => finished(family, via) as unknown as SegmentList),
    })),
    bindingSids: [
      { family: 'ipv4', sid: `cafe::${color}:4` },
      { family: 'ipv6', sid: `cafe::${color}:6` },
    ],
    steering: pods.map((prefix) => ({ prefix, heldBy: steers.includes(prefix) ? null : 'h1:1:h2' })),
  } as unknown as PolicyState;
  return {
    id: `h1:${color}:h2`,
    intent: {
      ...{ headend: 'h1', color, endpoint: 'h2', candidatePaths: [], fallback: 'shortest-path' },
      ...(explicit ? { steeredPrefixes: steers } : {}),
    },
    ...{ version: 1, mesh: null, owner: null, pinned: false, canRollBack: false, state },
  };
}

const written = (...policies: readonly SrPolicyView[]) => writtenConfig('paris', h1, policies, nodes);
/** Transport SIDs by BSID. */
const lists = (...policies: readonly SrPolicyView[]) =>
  Object.fromEntries((written(...policies)?.config.policies ?? []).map(({ bsid, sids }) => [bsid, sids.slice(0, -1)]));

describe('a ConfigMap that is written', () => {
  it('says what the headend pushes, with its BSIDs and service SIDs', () => {
    expect(written(policy())).toEqual({
      config: {
        node: 'paris',
        localSids: { ipv4: 'fd00:0:5:d4::', ipv6: 'fd00:0:5:d6::' },
        policies: [
          { bsid: 'cafe::10:4', egress: 'fd00:ffff::2', family: 'ipv4', sids: [upper, service.ipv4] },
          { bsid: 'cafe::10:6', egress: 'fd00:ffff::2', family: 'ipv6', sids: [upper, service.ipv6] },
        ],
      },
      leftOut: [],
    });
  });

  it('is not there without a policy in force; the shortest path as fallback is one', () => {
    expect(written()).toBeUndefined();
    expect(written(policy({ status: 'down' }), { ...policy(), state: null })).toBeUndefined();
    expect(written(policy({ status: 'fallback', lists: [] }))).toBeUndefined();
    expect(lists(policy({ status: 'fallback', lists: [[1]] }))).toEqual({ 'cafe::10:4': [], 'cafe::10:6': [] });
  });

  it('has the heaviest of weighted lists, the first of equals, and says so', () => {
    const two = policy({ lists: [[1, upper], [3, lower], [3, upper, lower]] }); // prettier-ignore
    expect(lists(two)).toEqual({ 'cafe::10:4': [lower], 'cafe::10:6': [lower] });
    expect(written(two)?.leftOut[0]).toBe('h1:10:h2 (ipv4): has 3 weighted lists; the heaviest is written');
  });

  it('has one policy for each egress and family: that which steers the prefixes, then the lower color', () => {
    const waiting = policy({ color: 5, steers: [], lists: [[1, lower]] });
    const holding = policy({ color: 10 });
    for (const both of [
      [waiting, holding],
      [holding, waiting],
    ] as const)
      // prettier-ignore
      expect(lists(...both)).toEqual({ 'cafe::10:4': [upper], 'cafe::10:6': [upper] });
    expect(written(waiting, holding)?.leftOut).toEqual([
      'h1:5:h2 (ipv4): h1:10:h2 leads there already',
      'h1:5:h2 (ipv6): h1:10:h2 leads there already',
    ]);
    expect(lists(policy({ color: 7 }), policy({ color: 6 }))).toHaveProperty(['cafe::6:4']);
  });

  it('leaves out what agents would do otherwise: drop, steer only some prefixes, or push planned SIDs', () => {
    expect(written(policy({ color: 7, status: 'fallback', lists: [] }), policy())?.leftOut).toEqual([
      'h1:7:h2 (ipv4): it drops its traffic, which the format cannot say',
      'h1:7:h2 (ipv6): it drops its traffic, which the format cannot say',
    ]);
    const onlyFour = policy({ explicit: true, steers: ['10.2.0.0/16'] });
    expect(lists(onlyFour)).toEqual({ 'cafe::10:4': [upper] });
    expect(written(onlyFour)?.leftOut).toEqual(['h1:10:h2 (ipv6): agents would steer all pod prefixes of h2 into it']);
    expect(written(policy({ planned: true }))).toBeUndefined();
  });
});
