import { afterEach, describe, expect, it } from 'vitest';
import type { CandidatePathIntent } from '../model/sr-policy.js';
import { PolicyHarness } from '../testing/policy-harness.js';
import { diamond, lowestDelay, withLinkDown } from '../testing/sketched-network.js';

const actor = { name: 'operator' };
const G = 1_000_000_000;
const ID = 'h1:1:h2';
let harness: PolicyHarness;

afterEach(() => harness.stop());

async function start(candidatePaths: readonly CandidatePathIntent[]): Promise<void> {
  harness = await PolicyHarness.create(diamond());
  await harness.lead();
  await harness.service.createPolicy(
    { headend: 'h1', color: 1, endpoint: 'h2', fallback: 'drop', candidatePaths },
    actor,
  );
  await harness.settled();
}

describe('the detours predicted for a policy', () => {
  it('are one per link and node of its lists, held against its constraints', async () => {
    await start([lowestDelay({ bounds: [{ metric: 'delay', max: 3000 }] })]);
    const { policyId, revision, lists } = await harness.service.detours(ID, ['link', 'node']);
    expect({ policyId, revision }).toEqual({ policyId: ID, revision: harness.ted.revision });
    expect(lists).toMatchObject([{ weight: 1, sids: [], message: null }]);
    const told = lists[0]?.detours?.map(({ failure, isProtected, worst, broken }) => [
      failure.kind === 'link' ? failure.link : failure.node,
      isProtected ? worst?.delayUs : null,
      broken.map(({ constraint }) => constraint),
    ]);
    expect(told).toEqual([
      ['a:b', 4020, ['/constraints/bounds/0']],
      // b sends it back and around.
      ['b:d', 6020, ['/constraints/bounds/0']],
      ['d:h2', null, []],
      ['h1:a', null, []],
      ['a', null, []],
      ['b', 4020, ['/constraints/bounds/0']],
      ['d', null, []],
    ]);
    const links = await harness.service.detours(ID, ['link']);
    expect(links.lists[0]?.detours).toEqual(lists[0]?.detours?.filter(({ failure }) => failure.kind === 'link'));
  });

  it('leave out of account what the policy itself has booked', async () => {
    await start([lowestDelay({ bandwidthBps: 6 * G })]);
    const { lists } = await harness.service.detours(ID, ['link']);
    expect(lists[0]?.detours?.flatMap(({ broken }) => broken)).toEqual([]);
  });

  it('are none where a list does not deliver any more, and for a policy without lists', async () => {
    await start([lowestDelay({ exclude: { nodes: ['c'] } })]);
    harness.stopLeading();
    const cut = withLinkDown(withLinkDown(diamond(), 'b:d'), 'c:d');
    await harness.setTed(cut);
    const { lists } = await harness.service.detours(ID, ['link']);
    expect(lists).toMatchObject([{ detours: null }]);
    expect(lists[0]?.message).not.toBeNull();
    await harness.lead();
    await harness.settled();
    expect((await harness.service.detours(ID, ['link'])).lists).toEqual([]);
    await expect(harness.service.detours('h1:9:h2', ['link'])).rejects.toMatchObject({ code: 'not-found' });
  });
});
