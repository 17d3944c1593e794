import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { DynamicPath, SrPolicyIntent } from '../model/sr-policy.js';
import { eventually } from '../testing/eventually.js';
import { PolicyHarness } from '../testing/policy-harness.js';
import { diamond, lowestDelay, withLinkDown } from '../testing/sketched-network.js';

const actor = { name: 'operator' };
const G = 1_000_000_000;
let harness: PolicyHarness;

beforeEach(async () => {
  harness = await PolicyHarness.create(diamond());
  await harness.lead();
});

afterEach(() => harness.stop());

function policy(path: Partial<DynamicPath>, color = 1): SrPolicyIntent {
  const candidate = { kind: 'dynamic' as const, metric: 'igp' as const, constraints: {}, ...path };
  const candidatePaths = [{ discriminator: 1, preference: 1, path: candidate }];
  return { headend: 'h1', color, endpoint: 'h2', fallback: 'drop', candidatePaths };
}

async function create(intent: SrPolicyIntent): Promise<void> {
  await harness.service.createPolicy(intent, actor);
  await harness.settled();
}

async function optionalOf(color: number) {
  const { state } = await harness.service.policy(`h1:${color}:h2`);
  return state?.candidatePaths[0]?.optional;
}

describe('optional constraints of a policy', () => {
  it('are shown, and kept again as soon as they can be', async () => {
    await harness.setTed(withLinkDown(diamond(), 'a:c'));
    await create(policy({ constraints: { exclude: { nodes: ['b'] } }, optional: ['/constraints/exclude/nodes'] }));
    expect(await optionalOf(1)).toEqual([
      { constraint: '/constraints/exclude/nodes', isAchieved: false, missedBy: null },
    ]);
    await harness.setTed(diamond());
    await harness.settled();
    const { state } = await harness.service.policy('h1:1:h2');
    expect(state?.lists[0]?.nodes).toContain('c');
    expect(state?.cause).toContain('it keeps the optional constraint /constraints/exclude/nodes');
    expect((await optionalOf(1))?.[0]?.isAchieved).toBe(true);
  });

  it('are tried again when the bandwidth that they lack is released', async () => {
    for (const color of [1, 2]) {
      await create({ ...policy({}, color), candidatePaths: [lowestDelay({ bandwidthBps: 6 * G })] });
    }
    await create(policy({ constraints: { bandwidthBps: 6 * G }, optional: ['/constraints/bandwidthBps'] }, 3));
    expect(await optionalOf(3)).toMatchObject([{ isAchieved: false }]);
    const { version } = await harness.service.policy('h1:2:h2');
    await harness.service.deletePolicy('h1:2:h2', version, actor);
    await eventually(async () => expect(await optionalOf(3)).toMatchObject([{ isAchieved: true }]));
  });

  it('are refused where the path has no such constraint', async () => {
    const intent = policy({
      constraints: { bandwidthBps: G },
      optional: ['/constraints/bandwidthBps', '/maxSegments'],
    });
    await expect(harness.service.createPolicy(intent, actor)).rejects.toMatchObject({
      code: 'request-invalid',
      info: { field: '/candidatePaths/0/path/optional/1' },
    });
  });
});
