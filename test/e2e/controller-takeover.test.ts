import { readFile } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../../apps/controller/src/testing/eventually.js';
import type { ControllersView } from '../../apps/controller/src/model/controllers.js';
import { freePort } from '../lab/managed-process.js';
import { missingNeeds } from '../require-program.js';
import { Installation, type ControllerProcess } from './installation.js';
import { SteadyWriter } from './steady-writer.js';

const nodes = ['dc-amsterdam', 'dc-madrid'];
const pairs = [
  ['dc-amsterdam', 'dc-madrid'],
  ['dc-madrid', 'dc-vienna'],
] as const;
const LONG_MS = 120_000;
const skipped = missingNeeds({ programs: ['redis-server', 'setpriv'] });

describe.skipIf(skipped)('three controllers on one Postgres and one Redis', () => {
  let installation: Installation;
  let writer: SteadyWriter | undefined;
  const everAccepted = new Set<string>();

  beforeAll(async () => {
    installation = await Installation.start(['controller-a', 'controller-b', 'controller-c']);
    // Nobody listens at the first of their addresses.
    const addresses = [
      `127.0.0.1:${await freePort('127.0.0.1')}`,
      ...installation.controllers.map((one) => one.grpcAddress),
    ];
    for (const node of nodes) installation.startAgent(node, addresses);
    await later(async () => expect((await installation.leader()).epoch).toBeGreaterThan(0));
    await later(async () => expect(Object.keys(await installation.sessions())).toEqual(expect.arrayContaining(nodes)));
  }, 300_000);

  afterEach(() => writer?.stop());

  afterAll(async () => {
    await installation.stop();
  }, 60_000);

  function later(check: () => unknown): Promise<void> {
    return eventually(check, LONG_MS);
  }

  /**
   * Writes at all controllers before, while and after `breakIt` makes another one lead. Then everything that was confirmed is
   * computed and installed, and the agents have left the one that is broken, which is returned.
   */
  async function survives(breakIt: (leader: ControllerProcess) => unknown): Promise<ControllerProcess> {
    const before = await installation.leader();
    const writing = new SteadyWriter(installation, pairs, everAccepted);
    writer = writing;
    const writesThree = async () => {
      const until = everAccepted.size + 3;
      await later(() => expect(everAccepted.size).toBeGreaterThanOrEqual(until));
    };
    await writesThree();
    await breakIt(before.controller);
    await writesThree();
    await later(async () => expect((await installation.leader()).epoch).toBeGreaterThan(before.epoch));
    await writesThree();
    await writing.stop();
    expect(writing.refusals).toEqual([]);

    const after = await installation.leader();
    expect(after.controller.name).not.toBe(before.controller.name);
    await installation.settled(before.epoch + 1);
    const { db } = installation.database;
    const simulated = await db.selectFrom('desired').select('policy_id').where('outcome', '=', 'simulated').execute();
    expect(simulated.map((row) => row.policy_id)).toEqual(expect.arrayContaining([...everAccepted]));
    await later(async () => {
      const sessions = await installation.sessions();
      for (const node of nodes) expect(sessions[node]).toMatch(/^controller-/);
      expect(Object.values(sessions)).not.toContain(before.controller.name);
    });
    return before.controller;
  }

  /** Back at work, it reads, computes and writes as the leader does. */
  async function followsAgain(broken: ControllerProcess): Promise<void> {
    const controller = installation.controller(broken.name);
    await later(async () => {
      const ready = await installation.ask(controller, 'GET', '/readyz');
      expect(ready).toMatchObject({
        status: 200,
        body: { checks: { leadership: { detail: expect.stringContaining('follows') as string } } },
      });
      const { items } = (await installation.ask(controller, 'GET', '/v1/controllers')).body as ControllersView;
      expect(items).toContainEqual(
        expect.objectContaining({ name: controller.name, self: true, state: 'follows', behindMs: 0 }),
      );
      expect(items).toContainEqual(expect.objectContaining({ state: 'leads' }));
    });
    const { controller: leader } = await installation.leader();
    const request = { body: { source: 'dc-amsterdam', destination: 'dc-madrid', metric: 'delay', constraints: {} } };
    const answers = [leader, controller].map((one) => installation.ask(one, 'POST', '/v1/path-computations', request));
    const [there, here] = await Promise.all(answers);
    expect(here).toMatchObject({ status: 200 });
    expect(here?.body).toEqual(there?.body);
  }

  it('go on when the leader is killed', async () => {
    const killed = await survives((leader) => leader.process.stop('SIGKILL'));
    await installation.restart(killed);
    await followsAgain(killed);
  }, 400_000);

  it('go on when the leader is stopped in its tracks; what it still says is refused, and it follows when it wakes', async () => {
    const stopped = await survives(async (leader) => {
      // A delta of this epoch that gets stuck on its way, while the agents learn by their heartbeats what it says.
      leader.redis.stall();
      const { epoch } = await installation.leader();
      const until = everAccepted.size + 3;
      await later(() => expect(everAccepted.size).toBeGreaterThanOrEqual(until));
      await later(async () => {
        const { db } = installation.database;
        const rows = await db.selectFrom('headend').selectAll().execute();
        for (const row of rows) expect(row).toMatchObject({ acked_generation: row.generation, epoch });
      });
      signal(leader, 'SIGSTOP');
    });
    stopped.redis.mend();
    await later(() => {
      const refusals = [...installation.agents.values()].filter(({ output }) => output.includes('"why":"old-epoch"'));
      expect(refusals).not.toHaveLength(0);
    });
    const { epoch } = await installation.leader();
    signal(stopped, 'SIGCONT');
    await later(() => expect(stopped.process.output).toContain('this controller no longer leads'));
    await followsAgain(stopped);
    await installation.settled(epoch);
    const headends = await installation.database.db.selectFrom('headend').select('epoch').execute();
    expect(new Set(headends.map((row) => row.epoch))).toEqual(new Set([epoch]));
    expect((await installation.leader()).epoch).toBe(epoch);
  }, 400_000);

  it('go on when the leader loses its connections to Postgres', async () => {
    const cut = await survives((leader) => leader.postgres.cut());
    expect((await installation.ask(cut, 'GET', '/readyz', { timeoutMs: LONG_MS })).status).toBe(503);
    expect((await installation.ask(cut, 'GET', '/v1/sr-policies', { timeoutMs: LONG_MS })).status).toBe(503);
    cut.postgres.mend();
    await followsAgain(cut);
  }, 400_000);

  it('go on when the network between the leader and Postgres falls silent, and its requests do not hang', async () => {
    const silent = await survives((leader) => leader.postgres.stall());
    await later(async () => expect((await installation.ask(silent, 'GET', '/readyz')).status).toBe(503));
    await later(async () =>
      expect((await installation.ask(silent, 'GET', '/v1/sr-policies', { timeoutMs: LONG_MS })).status).toBe(503),
    );
    silent.postgres.mend();
    await followsAgain(silent);
  }, 400_000);

  it('had no agent do anything twice, or take anything back', async () => {
    for (const node of nodes) {
      const lines = (await readFile(installation.stepsOf(node), 'utf8')).trim().split('\n');
      const steps = lines.map(
        (line) => JSON.parse(line) as { kind: string; policyId: string; tunnel: { family: string } },
      );
      expect(new Set(steps.map(({ kind }) => kind))).toEqual(new Set(['put-tunnel']));
      const put = steps.map(({ policyId, tunnel }) => `${policyId} ${tunnel.family}`);
      const mine = [...everAccepted].filter((id) => id.startsWith(`${node}:`));
      expect(put.sort()).toEqual(mine.flatMap((id) => [`${id} ipv4`, `${id} ipv6`]).sort());
    }
  });
});

function signal({ process: { pid = 0 } }: ControllerProcess, name: 'SIGSTOP' | 'SIGCONT'): void {
  process.kill(pid, name);
}
