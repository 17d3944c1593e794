import { describe, expect, it } from 'vitest';
import { everybodys } from '../../testing/policies.js';
import { TEST_SETTINGS, TEST_TABLE } from '../../testing/vpp-harness.js';
import { dropSidOf } from './drop-sid.js';
import { interpret, type VppState } from './interpret.js';
import { ownershipOf, objectionToForm } from './ownership.js';
import type { VppPolicy, VppSteering } from './vpp-state.js';

const OWNERSHIP = ownershipOf(TEST_SETTINGS);
const POLICY: VppPolicy = {
  bsid: 'fdff::1',
  lists: [
    { weight: 2, sids: ['fc00:2::1'] },
    { weight: 4, sids: ['fc00:1::1'] },
  ],
  encapSource: TEST_SETTINGS.encapSource,
  encapsulates: true,
  balances: true,
  table: 0,
};
const STEERING: VppSteering = {
  family: 'ipv4',
  table: TEST_TABLE,
  prefix: '10.0.0.0/24',
  parts: ['10.0.0.0/24'],
  bsid: POLICY.bsid,
  routed: true,
};
const read = (state: Partial<VppState>) =>
  interpret(
    {
      policies: [POLICY],
      steerings: [],
      tables: [],
      sourceSessions: [],
      localSids: [],
      interfaces: new Map(),
      ...state,
    },
    OWNERSHIP,
  );
const actionOf = (policy: Partial<VppPolicy>) => read({ policies: [{ ...POLICY, ...policy }] }).tunnels[0]?.action;

describe('what a VPP holds, as the reconciler sees it', () => {
  it('has lists in canonical form, and a policy for both families as a tunnel for each', () => {
    const segmentLists = [
      { weight: 2, sids: ['fc00:1::1'] },
      { weight: 1, sids: ['fc00:2::1'] },
    ];
    const action = { kind: 'encapsulate', segmentLists };
    expect(read({}).tunnels).toEqual([{ family: null, bsid: 'fdff::1', action, steeredPrefixes: [] }]);
    const ipv6: VppSteering = {
      ...STEERING,
      family: 'ipv6',
      prefix: '::/0',
      parts: ['::1/1', '8000::1/1'],
    };
    expect(read({ steerings: [ipv6, STEERING] }).tunnels).toEqual([
      { family: 'ipv4', bsid: 'fdff::1', action, steeredPrefixes: everybodys(['10.0.0.0/24']) },
      { family: 'ipv6', bsid: 'fdff::1', action, steeredPrefixes: everybodys(['::/0']) },
    ]);
  });

  it('drops where the only list is the SID that drops', () => {
    const dropSid = dropSidOf(TEST_SETTINGS.bsidBlock);
    expect(dropSid).toBe('fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff');
    expect(actionOf({ lists: [{ weight: 1, sids: [dropSid] }] })).toEqual({ kind: 'drop' });
    expect(actionOf({ lists: [{ weight: 1, sids: ['fc00:1::1', dropSid] }] })?.kind).toBe('encapsulate');
  });

  it.each([
    { form: { encapsulates: false }, reason: 'inserts' },
    { form: { balances: false }, reason: 'does not balance' },
    { form: { table: 9 }, reason: 'in table 9' },
    { form: { encapSource: '::' }, reason: 'source is ::' },
  ])('is nothing that we would write where it $reason', ({ form, reason }) => {
    expect(objectionToForm({ ...POLICY, ...form }, OWNERSHIP)).toContain(reason);
    expect(actionOf(form)).toMatchObject({ kind: 'other' });
  });

  it('has what is steered into a policy that is gone, or has no route, as something to be put right', () => {
    expect(read({ policies: [], steerings: [STEERING] }).tunnels).toMatchObject([
      { bsid: 'fdff::1', action: { kind: 'other' }, steeredPrefixes: everybodys(['10.0.0.0/24']) },
    ]);
    const { tunnels } = read({ steerings: [{ ...STEERING, routed: false }] });
    expect(tunnels.map(({ action, steeredPrefixes }) => [action.kind, steeredPrefixes])).toEqual([
      ['encapsulate', []],
      ['other', everybodys(['10.0.0.0/24'])],
    ]);
  });

  it('has our steering in another table, or with host bits, as strays', () => {
    const steerings = [
      { ...STEERING, table: 5 },
      { ...STEERING, prefix: '10.0.0.1/24', parts: ['10.0.0.1/24'] },
    ];
    const { strays, tunnels } = read({ steerings });
    expect(strays.map(({ id }) => id)).toEqual([
      'ipv4 10.0.0.0/24 in table 5',
      `ipv4 10.0.0.1/24 in table ${TEST_TABLE}`,
    ]);
    expect(tunnels).toMatchObject([{ steeredPrefixes: [] }]);
  });

  it("has others' steering in our table as obstacles, and nothing else of others", () => {
    const foreign = { ...POLICY, bsid: 'cafe::1' };
    const steerings = [
      { ...STEERING, bsid: 'cafe::1' },
      { ...STEERING, bsid: 'cafe::1', table: 0, prefix: '10.9.0.0/24' },
    ];
    const state = read({ policies: [foreign], steerings });
    expect(state).toMatchObject({ tunnels: [], strays: [], localSids: [] });
    expect([...state.obstacles]).toEqual([['10.0.0.0/24', 'steering into BSID cafe::1']]);
  });

  it('keeps our steering in the table of a class where others steer too, in whatever order it is shown', () => {
    const table = TEST_SETTINGS.classTables + 200;
    const tables = [{ family: 'ipv4' as const, id: table, name: 'waymark class 200' }];
    const foreign = { ...STEERING, table, prefix: '10.9.0.0/24', parts: ['10.9.0.0/24'], bsid: 'cafe::1' };
    const steerings = [foreign, { ...STEERING, table }];
    for (const shown of [steerings, [...steerings].reverse()]) {
      const { tunnels, strays, classObstacles } = read({ tables, steerings: shown });
      expect(tunnels).toMatchObject([{ steeredPrefixes: [{ prefix: '10.0.0.0/24', color: 200 }] }]);
      expect([strays, [...classObstacles.keys()]]).toEqual([[], [200]]);
    }
  });
});
