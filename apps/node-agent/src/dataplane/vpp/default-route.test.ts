import type { Forwarding } from '@waymark/vpp-stand-in';
import { describe, expect, it } from 'vitest';
import { ForeignVpp } from '../../testing/foreign-vpp.js';
import type { PolicySketch } from '../../testing/policies.js';
import { ReconciledAgent } from '../../testing/reconciled-agent.js';
import { standInOnly, TEST_TABLE, VppHarness } from '../../testing/vpp-harness.js';
import { clashing, joinHalves, partsOf } from './default-route.js';

const steering = { family: 'ipv4' as const, table: 7, bsid: 'fdff::1', routed: true };

describe('a default route that is steered', () => {
  it('is two halves, known by their host bits, and one again when both lead to the same', () => {
    const halves = partsOf('0.0.0.0/0').map((prefix) => ({ ...steering, prefix }));
    const whole = { ...steering, prefix: '0.0.0.0/0', parts: ['0.0.0.1/1', '128.0.0.1/1'] };
    expect(joinHalves(halves)).toEqual([whole]);
    expect(joinHalves([...halves].reverse())).toEqual([whole]);
    const apart = halves.map((half, at) => ({ ...half, bsid: `fdff::${at}` }));
    expect(joinHalves(apart).map(({ parts }) => parts)).toEqual([['0.0.0.1/1'], ['128.0.0.1/1']]);
    expect(joinHalves(halves.slice(1)).map(({ prefix }) => prefix)).toEqual(['128.0.0.1/1']);
    expect(partsOf('10.0.0.0/8')).toEqual(['10.0.0.0/8']);
  });

  it('clashes with its halves steered for themselves, and with nothing else', () => {
    expect(clashing('::/0')).toEqual(['::/1', '8000::/1']);
    expect(clashing('128.0.0.0/1')).toEqual(['0.0.0.0/0']);
    expect(clashing('128.0.0.0/2')).toEqual([]);
  });

  it.skipIf(standInOnly !== undefined)(
    'is not all that has a route: where another is, nothing is steered',
    async () => {
      const harness = await VppHarness.onStandIn();
      const agent = new ReconciledAgent(harness.open());
      const foreign = <T>(work: (vpp: ForeignVpp) => Promise<T>) => harness.using((vpp) => work(new ForeignVpp(vpp)));
      await foreign((vpp) => vpp.routeOut(TEST_TABLE, '10.2.0.0/24', 1, '192.0.2.1'));
      const policy = {
        id: 'h1:1:a',
        ipv4: { lists: [[1, 'fc00:1::1']] as const, prefixes: ['10.2.0.0/24', '10.3.0.0/24'] },
      };
      await agent.want(policy);
      expect(agent.outcome('h1:1:a')?.reason).toBe(
        'table 7777 has a route for 10.2.0.0/24, beside which VPP would lose packets; remove it',
      );
      expect(harness.standIn.route(TEST_TABLE, '10.2.0.1')).toMatchObject({ kind: 'route' });
      expect(harness.standIn.route(TEST_TABLE, '10.3.0.1')).toMatchObject({ kind: 'policy' });
      await foreign((vpp) => vpp.route(TEST_TABLE, '10.2.0.0/24', 'nowhere'));
      await agent.reconciler.reconcile();
      expect(harness.standIn.route(TEST_TABLE, '10.2.0.1')).toMatchObject({ kind: 'policy' });
      await agent.reconciler.stop();
      await harness.close();
    },
  );

  it.skipIf(standInOnly !== undefined)('is divided when an earlier agent has steered it whole', async () => {
    const harness = await VppHarness.onStandIn();
    const policy: PolicySketch = {
      id: 'h1:1:a',
      ipv4: { lists: [[1, 'fc00:1::1']], prefixes: ['0.0.0.0/0'] },
      ipv6: { lists: [[1, 'fc00:1::1']], prefixes: ['::/0'] },
    };
    const fates = () =>
      ['10.0.0.1', '192.0.2.1', '2001:db8::1', 'fd00::1'].map(
        (address) => harness.standIn.route(TEST_TABLE, address).kind,
      );
    await new ReconciledAgent(harness.open()).want(policy);
    const divided = harness.standIn.steerings;
    await harness.using(async (vpp) => {
      const earlier = new ForeignVpp(vpp);
      for (const { prefix } of divided) await earlier.unsteer(TEST_TABLE, prefix);
      for (const { prefix, bsid } of divided.filter((_, at) => at % 2 === 0)) {
        await earlier.steer(TEST_TABLE, prefix.includes(':') ? '::/0' : '0.0.0.0/0', bsid);
      }
    });
    expect(fates()).toEqual(Array(4).fill('drop'));
    const agent = new ReconciledAgent(harness.open());
    await agent.want(policy);
    expect(fates()).toEqual(Array(4).fill('policy'));
    expect(harness.standIn.steerings.map(({ prefix }) => prefix).sort()).toEqual(
      divided.map(({ prefix }) => prefix).sort(),
    );
    await agent.want();
    expect([harness.standIn.steerings, agent.reconciler.health.error]).toEqual([[], null]);
    await agent.reconciler.stop();
    await harness.close();
  });

  it.skipIf(standInOnly !== undefined)('loses nothing, moves, and goes with nothing left', async () => {
    const harness = await VppHarness.onStandIn();
    const agent = new ReconciledAgent(harness.open());
    const policy = (id: string, via: string, prefixes: string[]): PolicySketch => ({
      id,
      ipv4: { lists: [[1, via]], prefixes: prefixes.filter((prefix) => !prefix.includes(':')) },
      ipv6: { lists: [[1, via]], prefixes: prefixes.filter((prefix) => prefix.includes(':')) },
    });
    const ways = () =>
      ['10.0.0.1', '192.0.2.1', '2001:db8::1', 'fd00::1']
        .map((address): Forwarding => harness.standIn.route(TEST_TABLE, address))
        .map((fate) => (fate.kind === 'policy' ? (fate.lists[0]?.segments[0] ?? '') : fate.kind));
    const all = ['0.0.0.0/0', '::/0'];
    await agent.want(policy('h1:1:a', 'fc00:1::1', all));
    expect(ways()).toEqual(Array(4).fill('fc00:1::1'));
    expect(Object.keys(await agent.forwarding())).toEqual(all);
    await agent.want(policy('h1:1:a', 'fc00:1::1', []), policy('h1:1:b', 'fc00:2::1', all));
    expect(ways()).toEqual(Array(4).fill('fc00:2::1'));
    await agent.want(policy('h1:1:b', 'fc00:2::1', all), policy('h1:1:c', 'fc00:3::1', ['128.0.0.0/1']));
    expect(agent.outcome('h1:1:c')?.reason).toBe(
      'VPP cannot steer 128.0.0.0/1 beside 0.0.0.0/0, which it does in two halves',
    );
    expect(ways()).toEqual(Array(4).fill('fc00:2::1'));
    await agent.want();
    expect(harness.standIn.steerings).toEqual([]);
    await agent.reconciler.stop();
    await harness.close();
  });
});
