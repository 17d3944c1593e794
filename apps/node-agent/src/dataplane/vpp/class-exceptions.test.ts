import { describe, expect, it } from 'vitest';
import { classesOf, classPolicy } from '../../testing/class-sketches.js';
import { ReconciledAgent } from '../../testing/reconciled-agent.js';
import { standInOnly, VppHarness } from '../../testing/vpp-harness.js';

describe.skipIf(standInOnly !== undefined)('exceptions of service classes', () => {
  it('have the routes of all pods read once in a round, however many classes there are', async () => {
    const harness = await VppHarness.onStandIn();
    const agent = new ReconciledAgent(harness.open());
    const dumpsWith = async (...colors: readonly number[]): Promise<number> => {
      const policies = colors.map((color) => classPolicy(color, 'fc00:a::1', [], ['10.2.0.0/24', 'fd02::/64']));
      const pods = Object.fromEntries(colors.map((color) => [color, [`10.1.0.${color}`]]));
      await agent.want(...policies, ...classesOf(pods));
      const dumps = () => harness.standIn.log.filter(({ name }) => name === 'ip_route_dump').length;
      const before = dumps();
      await agent.reconciler.reconcile();
      return dumps() - before;
    };
    const one = await dumpsWith(100);
    expect(one).toBeGreaterThan(0);
    // Of each further class its own table, in both families.
    expect(await dumpsWith(100, 101, 102)).toBe(one + 4);
    await agent.reconciler.stop();
    await harness.close();
  });
});
