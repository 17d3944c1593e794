import { Family, type Prefix } from '@waymark/agent-protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DryRunDataPlane } from '../dataplane/dry-run.js';
import { parseAddress } from '../dataplane/address.js';
import { desiredState, type PolicySketch } from '../testing/policies.js';
import { ReconciledAgent, silentLog } from '../testing/reconciled-agent.js';
import { outsideBlock } from './outside-block.js';

const block: Prefix = { family: Family.IPV6, address: parseAddress('fdbb:b51d:0:1::'), length: 64 };
const entry = (policyId: string, bsid: string, alternateBsid: string) => ({
  policyId,
  content: { tunnels: [{ bsid, alternateBsid }] },
});
const ours = ['fdbb:b51d:0:1::4', 'fdbb:b51d:0:1:ffff::5'] as const;

describe('policies outside of the block', () => {
  it.each([
    ['both in it', ...ours, undefined],
    ['one of another node', 'fdbb:b51d:0:2::4', ours[1], 'fdbb:b51d:0:2::4'],
    ['the alternate one of another node', ours[0], 'fdbb:b51d:0:2::5', 'fdbb:b51d:0:2::5'],
    ['of a shorter prefix', 'fdbb:b51d::4', ours[1], 'fdbb:b51d::4'],
  ])('%s', (_, bsid, alternate, foreign) => {
    const reason = foreign && `its binding SID ${foreign} is not in fdbb:b51d:0:1::/64, the block of this node`;
    expect(outsideBlock([entry('h1:1:h2', bsid, alternate)], block).get('h1:1:h2')).toBe(reason);
  });

  it('are none when no block is known, or nothing can be read', () => {
    expect(outsideBlock([entry('h1:1:h2', '::1', '::2')], undefined).size).toBe(0);
    expect(outsideBlock([{ policyId: 'h1:1:h2', content: { kind: 'unreadable' } }], block).size).toBe(0);
  });

  describe('in a data plane', () => {
    let agent: ReconciledAgent;
    const sketch = (number: number, sid = 'fc00:2::d6'): PolicySketch => ({
      id: `h1:10:h${number}`,
      ipv6: { lists: [[1, sid]], prefixes: [`fd0${number}::/64`] },
    });
    beforeEach(() => {
      agent = new ReconciledAgent(new DryRunDataPlane({ log: silentLog, encapMode: 'full', msdHEncaps: 0 }));
    });
    afterEach(() => agent.reconciler.stop());

    const held = async () =>
      (await agent.dataPlane.read()).tunnels.map(({ steeredPrefixes }) => steeredPrefixes).flat();

    it('fail with the reason and hold up no other, and what was there stays', async () => {
      await agent.want(sketch(2), sketch(3));
      const before = await held();
      const state = desiredState(2, [sketch(2), sketch(3, 'fc00:3::d6'), sketch(4)]);
      // The block of exactly one of them.
      const bsid = (await agent.dataPlane.read()).tunnels.find(({ steeredPrefixes }) =>
        steeredPrefixes.some(({ prefix }) => prefix === 'fd02::/64'),
      )?.bsid;
      const own: Prefix = { family: Family.IPV6, address: parseAddress(bsid ?? ''), length: 112 };
      own.address.fill(0, 14);
      agent.reconciler.setDesired({ ...state, bsidBlock: own }, 'all');
      await agent.reconciler.reconcile();
      const outcomes = new Map(agent.lastReport.outcomes.map((outcome) => [outcome.policyId, outcome]));
      expect(outcomes.get('h1:10:h2')).toMatchObject({ outcome: 'simulated', reason: '' });
      for (const policyId of ['h1:10:h3', 'h1:10:h4']) {
        expect(outcomes.get(policyId)).toMatchObject({
          outcome: 'failed',
          reason: expect.stringMatching(
            /^its binding SID fdff:.* is not in fdff:.*\/112, the block of this node$/,
          ) as string,
        });
      }
      expect(await held()).toEqual(before);
    });
  });
});
