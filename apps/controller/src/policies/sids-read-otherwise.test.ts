import { afterEach, describe, expect, it } from 'vitest';
import type { Ted } from '@waymark/topology';
import type { CandidatePathIntent } from '../model/sr-policy.js';
import { PolicyHarness } from '../testing/policy-harness.js';
import { buildTed, withNodes } from '../testing/sketched-network.js';

const actor = { name: 'operator' };
let harness: PolicyHarness;

afterEach(() => harness.stop());

/** Two ways, and a router z that nobody's traffic passes; a to d are nodes 1 to 4, z is node 7. */
function network(sidKind: 'next' | 'plain'): Ted {
  return buildTed(
    ['a', 'b', 'c', 'd', 'h1', 'h2', 'z'].map((id) => ({ id, sidKind, scope: 'igp' as const })),
    [
      { between: 'h1-a' },
      { between: 'a-b' },
      { between: 'b-d' },
      { between: 'a-c', igpMetric: 20 },
      { between: 'c-d', igpMetric: 20 },
      { between: 'd-h2' },
      { between: 'd-z' },
    ],
  );
}

async function start(ted: Ted, candidatePaths: readonly CandidatePathIntent[]): Promise<void> {
  harness = await PolicyHarness.create(ted);
  await harness.lead();
  const intent = { headend: 'h1', color: 1, endpoint: 'h2', fallback: 'drop' as const, candidatePaths };
  await harness.service.createPolicy(intent, actor);
  await harness.settled();
}

const pushed = async () => (await harness.service.policy('h1:1:h2')).state?.lists[0]?.segmentLists[0]?.entries;

function explicit(sid: string): CandidatePathIntent {
  return { discriminator: 2, preference: 2, path: { kind: 'explicit', segmentLists: [{ weight: 1, sids: [sid] }] } };
}

const anyWay: CandidatePathIntent = {
  discriminator: 1,
  preference: 1,
  path: { kind: 'dynamic', metric: 'igp', constraints: {} },
};

describe('a policy whose SIDs others make mean something else', () => {
  it('is packed anew when a node number begins to be a function of a router on its way', async () => {
    const ted = network('next');
    await start(ted, [explicit('fd00:0:3::')]);
    expect((await pushed())?.map(({ sids }) => sids.length)).toEqual([2]);
    const own = ted.nodes.find(({ id }) => id === 'c')?.sids ?? [];
    const [end] = own;
    // Behind the SID of c stands, somewhere, the function e000 of c; now there is a node e000, too.
    const number = { ...(end as NonNullable<typeof end>), sid: 'fd00:0:e000::' };
    const z = ted.nodes.find(({ id }) => id === 'z');
    await harness.setTed(withNodes(ted, { z: { sids: [...(z?.sids ?? []), number] } }));
    await harness.settled();
    expect((await pushed())?.map(({ sids }) => sids.length)).toEqual([1, 1]);
    expect((await harness.service.policy('h1:1:h2')).state?.cause).toContain('its SIDs are packed otherwise');
  });

  it('leaves a list whose address a longer prefix of another node captures', async () => {
    const ted = network('plain');
    await start(ted, [explicit('fd00:0:3:1::'), anyWay]);
    expect((await harness.service.policy('h1:1:h2')).state?.activeCandidatePath).toBe(2);
    const z = ted.nodes.find(({ id }) => id === 'z');
    const [own] = z?.locators ?? [];
    const longer = { ...(own as NonNullable<typeof own>), prefix: 'fd00:0:3:1::/64' };
    await harness.setTed(withNodes(ted, { z: { locators: [...(z?.locators ?? []), longer] } }));
    await harness.settled();
    expect((await harness.service.policy('h1:1:h2')).state?.activeCandidatePath).toBe(1);
  });
});
