import { Outcome } from '@waymark/agent-protocol';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { policyBody } from '../../apps/controller/src/testing/distribution-fixture.js';
import { eventually } from '../../apps/controller/src/testing/eventually.js';
import { runCampaign, type Verdict } from './campaign.js';
import { controllerCase, STEADY, type ControllerCase } from './grpc/controller-messages.js';
import { HostileController } from './grpc/hostile-controller.js';
import { startDryRunAgent, type DryRunAgent } from './redis/dry-run-agent.js';

let controller: HostileController;
let one: DryRunAgent;
let held: string;

beforeAll(async () => {
  controller = new HostileController();
  controller.want({
    generation: 1,
    policies: [{ policyId: STEADY, generation: 1, deleted: false, body: policyBody(STEADY, 1) }],
  });
  one = await startDryRunAgent('h1', await controller.listen(), null);
  await converged();
  held = await one.holds();
}, 120_000);

afterAll(async () => {
  await one.stop();
  controller.close();
}, 60_000);

/** The agent holds what is wanted, and told so. */
const converged = () =>
  eventually(() => {
    const { session } = one.agent.status();
    expect(session.generation).toBe(controller.wanted.generation);
    expect(Buffer.from(session.stateHash)).toEqual(Buffer.from(controller.digest().stateHash));
    expect(controller.outcomes.get(STEADY)?.outcome).toBe(Outcome.SIMULATED);
  }, 60_000);

async function run(hostile: ControllerCase): Promise<Verdict> {
  if (hostile.failing !== undefined) return failing(hostile.failing);
  if (hostile.said !== undefined) controller.sayBytes(hostile.said);
  if (hostile.snapshot !== undefined) {
    const { served } = controller;
    const { snapshot } = hostile;
    // Said again and again, for a session that was broken by the case before may not be there yet.
    await eventually(() => {
      if (controller.served > served) return true;
      controller.mislead(snapshot);
      return false;
    }, 60_000);
  }
  await converged();
  const now = await one.holds();
  return now === held ? { outcome: 'refused' } : { outcome: 'taken', fault: `the data plane holds ${now}` };
}

/** One bad policy fails and says why; the other stays. */
async function failing(change: NonNullable<ControllerCase['failing']>): Promise<Verdict> {
  const { generation, policies } = controller.wanted;
  controller.outcomes.delete(change.policyId);
  controller.want({ generation: generation + 1, policies: [...policies, change] });
  // That the one of the case before is gone may be told late.
  const told = () => controller.outcomes.get(change.policyId)?.outcome ?? Outcome.REMOVED;
  await eventually(() => told() !== Outcome.REMOVED, 60_000);
  const { outcome, reason } = controller.outcomes.get(change.policyId) ?? { outcome: Outcome.UNSPECIFIED, reason: '' };
  const during = await one.holds();
  controller.want({ generation: generation + 2, policies });
  await converged();
  if (outcome !== Outcome.FAILED || reason === '')
    return { outcome: 'taken', fault: `outcome ${outcome}, reason "${reason}"` };
  if (during !== held || (await one.holds()) !== held) return { outcome: 'failed', fault: 'the data plane changed' };
  return { outcome: 'failed' };
}

it('takes nothing from a controller that is in error', async () => {
  const generate = (random: Parameters<typeof controllerCase>[0]) => controllerCase(random, controller);
  const report = await runCampaign({ name: 'agent', cases: 20, generate, run });
  process.stdout.write(report.summary);
  expect(report.failures.join('\n\n')).toBe('');
}, 14_400_000);
