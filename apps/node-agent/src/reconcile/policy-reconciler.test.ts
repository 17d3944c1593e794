import { emptyStateHash } from '@waymark/agent-protocol';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { DataPlaneError } from '../dataplane/port.js';
import type { DesiredState, ReconcileReport } from '../session/ports.js';
import { hashOf } from '../testing/expectations.js';
import { desiredState, everybodys, type PolicySketch } from '../testing/policies.js';
import { ReconciledAgent, silentLog } from '../testing/reconciled-agent.js';
import { WatchedPlane } from '../testing/watched-plane.js';
import { PolicyReconciler } from './policy-reconciler.js';

function policy(number: number, sid = 'fc00:2::d4'): PolicySketch {
  return { id: `h1:10:e${number}`, ipv4: { lists: [[1, sid]], prefixes: [`10.${number}.0.0/24`] } };
}

describe('the reconciler', () => {
  let plane: WatchedPlane;
  let agent: ReconciledAgent;

  beforeEach(() => {
    plane = new WatchedPlane();
    agent = new ReconciledAgent(plane);
  });
  afterEach(async () => {
    await agent.reconciler.stop();
  });

  it('reconciles what arrives while it lays the ground for it', async () => {
    let open = () => undefined as unknown;
    const laid = new Promise<void>((resolve) => (open = () => resolve()));
    plane.laying = () => laid;
    const laying = agent.reconciler.reconcile();
    const wanted = agent.want(policy(2));
    open();
    await laying;
    expect((await wanted).outcomes.map(({ outcome }) => outcome)).toEqual(['simulated']);
    expect(plane.applied).toHaveLength(1);
  });

  it('tells that the data plane does not work before it knows what is wanted', async () => {
    plane.laying = () => Promise.reject(new DataPlaneError('no table'));
    await agent.reconciler.reconcile();
    expect(agent.reconciler.health.error).toBe('no table');
    plane.laying = () => Promise.resolve();
    await agent.reconciler.reconcile();
    expect(agent.reconciler.health.error).toBeNull();
    expect(plane.reads).toBe(0);
  });

  it('puts local SIDs there before it knows what is wanted, and removes nothing then', async () => {
    const left = { sid: 'fc00:1::d9', behavior: 'End.DT4' } as const;
    await plane.apply([{ kind: 'put-local-sid', localSid: left, replaces: false }]);
    const own = { sid: 'fc00:1::d4', behavior: 'End.DT4' } as const;
    agent = new ReconciledAgent(plane, [own]);
    await agent.reconciler.reconcile();
    expect((await plane.read()).localSids).toEqual([left, own]);
    await agent.want();
    expect((await plane.read()).localSids).toEqual([own]);
    plane.failing = (step) => (step.kind === 'put-local-sid' ? 'busy' : null);
    agent = new ReconciledAgent(plane, [own, left]);
    await agent.reconciler.reconcile();
    expect(agent.reconciler.health.error).toBe('local SID fc00:1::d9 (End.DT4) is not installed: busy');
  });

  it('does a burst of changes at once, and one application at a time', async () => {
    let open = () => undefined as unknown;
    plane.gate = new Promise((resolve) => (open = () => resolve()));
    const states: DesiredState[] = [];
    for (let generation = 1; generation <= 50; generation += 1) {
      states.push(desiredState(generation, [policy(generation % 9)], states.at(-1)));
    }
    const [first, ...later] = states;
    if (first === undefined) throw new Error('no state');
    agent.reconciler.setDesired(first, 'all');
    await vi.waitFor(() => expect(plane.applied).toHaveLength(1));
    for (const state of later) agent.reconciler.setDesired(state, new Set(state.policies.keys()));
    open();
    await agent.reconciler.reconcile();
    expect(agent.reports.map(({ generation }) => generation)).toEqual([1, 50]);
    expect(Object.keys(await agent.forwarding())).toEqual(['10.5.0.0/24']);
  });

  it('reports only what changed, but everything when the session asks for all', async () => {
    const one = desiredState(1, [policy(1), policy(2)]);
    const two = desiredState(2, [policy(1, 'fc00:9::1'), policy(2)], one);
    agent.reconciler.setDesired(one, 'all');
    await agent.reconciler.reconcile();
    agent.reconciler.setDesired(two, new Set(['h1:10:e1']));
    await agent.reconciler.reconcile();
    agent.reconciler.setDesired(two, 'all');
    await agent.reconciler.reconcile();
    await agent.reconciler.reconcile();
    expect(agent.reports.map(named)).toEqual([
      ['h1:10:e1@1', 'h1:10:e2@1'],
      ['h1:10:e1@2'],
      ['h1:10:e1@2', 'h1:10:e2@1'],
    ]);
  });

  it('says that a policy is removed even when it never knew it', async () => {
    agent.reconciler.setDesired(desiredState(7, []), new Set(['h1:10:e1']));
    await agent.reconciler.reconcile();
    expect(agent.lastReport.outcomes).toEqual([
      { policyId: 'h1:10:e1', generation: 7, outcome: 'removed', reason: '' },
    ]);
  });

  it('calls a policy removed only once its prefix is steered no more', async () => {
    await agent.want(policy(1), policy(2));
    plane.failing = (step) => (step.kind === 'unsteer' ? 'busy' : null);
    await agent.want(policy(2));
    expect(agent.outcome('h1:10:e1')).toMatchObject({ outcome: 'failed', reason: '10.1.0.0/24 is still steered' });
    expect(agent.reconciler.health.error).toBe('the steering of 10.1.0.0/24 could not be removed: busy');
    expect(agent.lastReport.readBackHash).not.toEqual(hashOf(agent.desired));
    plane.failing = () => null;
    await agent.reconciler.reconcile();
    expect(agent.outcome('h1:10:e1')).toMatchObject({ outcome: 'removed', generation: 2 });
    expect(agent.reconciler.health.error).toBeNull();
    expect(agent.lastReport.readBackHash).toEqual(hashOf(agent.desired));
  });

  it('takes a policy that leaves during a round out in the next', async () => {
    let open = () => undefined as unknown;
    plane.gate = new Promise((resolve) => (open = () => resolve()));
    const one = desiredState(1, [policy(1)]);
    agent.reconciler.setDesired(one, 'all');
    await vi.waitFor(() => expect(plane.applied).toHaveLength(1));
    agent.reconciler.setDesired(desiredState(2, [], one), new Set(['h1:10:e1']));
    open();
    await agent.reconciler.reconcile();
    expect(agent.reports.flatMap(({ outcomes }) => outcomes.map(({ outcome }) => outcome))).toEqual([
      'simulated',
      'removed',
    ]);
    expect(await agent.forwarding()).toEqual({});
  });

  it('fails one policy with the reason of its step, tries again, and tells when it works', async () => {
    plane.failing = (step) => (step.kind === 'put-tunnel' && step.policyId === 'h1:10:e1' ? 'no memory' : null);
    await agent.want(policy(1), policy(2));
    expect(agent.outcome('h1:10:e1')).toMatchObject({ outcome: 'failed', reason: 'no memory' });
    expect(agent.outcome('h1:10:e2')?.outcome).toBe('simulated');
    plane.failing = () => null;
    await agent.reconciler.reconcile();
    expect(agent.lastReport.outcomes.map(({ outcome }) => outcome)).toEqual(['simulated']);
    expect(agent.reconciler.health.driftRepairs).toBe(0);
    expect(agent.reconciler.counts.policies).toEqual({ installed: 0, simulated: 2, failed: 0 });
  });

  it('does not take the word of a write: what is not read back is not installed', async () => {
    const forgetful = new ReconciledAgent(
      new (class extends WatchedPlane {
        override apply() {
          return Promise.resolve([]);
        }
      })(),
    );
    await forgetful.want(policy(1));
    expect(forgetful.outcome('h1:10:e1')).toMatchObject({ outcome: 'failed' });
    expect(forgetful.lastReport.readBackHash).toEqual(emptyStateHash());
  });

  it('fails every policy while the data plane cannot be read, and recovers', async () => {
    await agent.want(policy(1));
    plane.fault = 'ip cannot be run';
    await agent.reconciler.reconcile();
    expect(agent.lastReport.outcomes).toMatchObject([{ outcome: 'failed', reason: 'ip cannot be run' }]);
    expect(agent.lastReport.readBackHash).not.toEqual(hashOf(agent.desired));
    expect(agent.reconciler.health.error).toBe('ip cannot be run');
    plane.fault = null;
    await agent.reconciler.reconcile();
    expect(agent.lastReport.outcomes).toMatchObject([{ outcome: 'simulated' }]);
    expect(agent.reconciler.health.error).toBeNull();
  });

  it('does not call a policy removed while the data plane cannot be read', async () => {
    await agent.want(policy(1));
    plane.fault = 'ip cannot be run';
    await agent.want();
    expect(agent.lastReport.outcomes).toEqual([
      { policyId: 'h1:10:e1', generation: 2, outcome: 'failed', reason: 'ip cannot be run' },
    ]);
    expect(agent.lastReport.readBackHash).not.toEqual(emptyStateHash());
    plane.fault = null;
    await agent.reconciler.reconcile();
    expect(agent.lastReport.outcomes).toMatchObject([{ policyId: 'h1:10:e1', generation: 2, outcome: 'removed' }]);
    expect(agent.lastReport.readBackHash).toEqual(emptyStateHash());
  });

  it('removes nothing while there is a policy that it cannot read', async () => {
    await agent.want(policy(1), policy(2));
    const [known] = [...agent.desired.policies.values()];
    if (known === undefined) throw new Error('no policy');
    const policies = new Map([
      ['h1:10:e2', { generation: 2, body: Uint8Array.of(0xff, 1, 2) }],
      ['h1:10:e3', { generation: 2, body: [...desiredState(2, [policy(3)]).policies.values()][0]?.body ?? known.body }],
    ]);
    agent.reconciler.setDesired({ epoch: 1, generation: 2, policies }, 'all');
    await agent.reconciler.reconcile();
    expect(agent.outcome('h1:10:e2')?.reason).toMatch(/^it cannot be read: /);
    expect(agent.outcome('h1:10:e3')?.outcome).toBe('simulated');
    expect(Object.keys(await agent.forwarding())).toEqual(['10.1.0.0/24', '10.2.0.0/24', '10.3.0.0/24']);
  });

  it('refuses a body that is that of another policy', async () => {
    const body = desiredState(1, [policy(1)]).policies.get('h1:10:e1')?.body ?? new Uint8Array();
    const policies = new Map([['h1:10:e2', { generation: 1, body }]]);
    agent.reconciler.setDesired({ epoch: 1, generation: 1, policies }, 'all');
    await agent.reconciler.reconcile();
    expect(agent.outcome('h1:10:e2')?.reason).toContain('h1:10:e1');
  });
});

describe('the reconciler by itself', () => {
  const reports: ReconcileReport[] = [];
  let plane: WatchedPlane;
  let reconciler: PolicyReconciler;

  beforeEach(async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] });
    plane = new WatchedPlane();
    const intervals = { rereadIntervalMs: 30_000, wakeDelayMs: 200 };
    reconciler = new PolicyReconciler({
      dataPlane: plane,
      localSids: [],
      ...intervals,
      liveness: null,
      log: silentLog,
    });
    reconciler.onReport((report) => reports.push(report));
    reconciler.start();
    reconciler.setDesired(desiredState(1, [policy(1)]), 'all');
    await reconciler.reconcile();
    plane.reads = 0;
  });
  afterEach(async () => {
    await reconciler.stop();
    vi.useRealTimers();
  });

  it('reads the data plane again after the interval, and repairs it', async () => {
    await plane.apply([{ kind: 'unsteer', family: 'ipv4', prefix: '10.1.0.0/24', color: null }]);
    vi.advanceTimersByTime(29_999);
    expect(plane.reads).toBe(0);
    vi.advanceTimersByTime(1);
    await vi.waitFor(() => expect(reconciler.health.driftRepairs).toBe(1));
    expect((await plane.read()).tunnels.flatMap(({ steeredPrefixes }) => steeredPrefixes)).toEqual(
      everybodys(['10.1.0.0/24']),
    );
  });

  it('gathers wake-ups into one look', async () => {
    for (let storm = 0; storm < 100; storm += 1) plane.wake();
    expect(plane.reads).toBe(0);
    vi.advanceTimersByTime(200);
    await vi.waitFor(() => expect(plane.reads).toBe(1));
    await reconciler.stop();
    plane.wake();
    vi.advanceTimersByTime(60_000);
    expect(plane.reads).toBe(1);
  });
});

function named({ outcomes }: ReconcileReport): string[] {
  return outcomes.map(({ policyId, generation }) => `${policyId}@${generation}`);
}
