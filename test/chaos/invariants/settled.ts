import { setTimeout as sleep } from 'node:timers/promises';
import { CONTROLLERS } from '../plan.js';
import type { Client } from '../workload/client.js';
import type { Content, Ledger } from '../workload/ledger.js';
import type { Resource } from '../workload/operation.js';
import { contentOfView } from '../workload/worker.js';
import type { ChaosSystem } from '../system/system.js';
import type { AgentStatus } from './agent-status.js';
import { readStatus } from './agent-status.js';
import type { Observer } from './observer.js';
import { differences, type Plane } from './plane.js';

export const ACCEPTED_IS_THERE = 'every accepted change is there, on either controller, and no refused one';
export const PLANE_IS_DESIRED = "every agent's data plane is what was published for it";
export const SETTLES = 'everything is computed, published, accepted, read back and acknowledged';

/** Each invariant with what it was held against, and where it does not hold. */
export interface Finding {
  readonly invariant: string;
  readonly times: number;
  readonly details: readonly string[];
}

export interface Settled {
  readonly findings: readonly Finding[];
  /** What the API shows, by the ids of the ledger. */
  readonly shown: ReadonlyMap<string, Content>;
}

export interface Settling {
  readonly system: ChaosSystem;
  readonly observer: Observer;
  readonly client: Client;
  readonly ledger: Ledger;
  /** What the data plane of an agent holds, by its trace. */
  readonly planeOf: (agent: string) => Promise<Plane>;
}

const POLL_MS = 300;

/**
 * Looks until everything is as it must be once faults and work have ended, and has stayed so for a look. The time only ends
 * what would otherwise go on for ever. Returns what was found last.
 */
export async function settled(settling: Settling, timeoutMs: number): Promise<Settled> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const found = await look(settling).catch((error: unknown): Settled => {
      const details = [`it cannot be told: ${String(error)}`];
      return { findings: [{ invariant: SETTLES, times: 1, details }], shown: new Map() };
    });
    const isRight = found.findings.every(({ details }) => details.length === 0);
    if (isRight || performance.now() > deadline) return found;
    await sleep(POLL_MS);
  }
}

async function look(settling: Settling): Promise<Settled> {
  const { system, observer, planeOf } = settling;
  const before = await revision(observer);
  const [headends, desired] = [await observer.headends(), await observer.desired()];
  const unsettled: string[] = [];
  const wrong: string[] = [];
  let tunnels = 0;
  for (const agent of system.agents) {
    const headend = headends.find(({ node_id }) => node_id === agent);
    const own = desired.filter(({ headend: of }) => of === agent);
    const status = await readStatus(system.statusUrl(agent)).catch(() => undefined);
    unsettled.push(...unsettledAgent(agent, status, headend));
    for (const { policy_id, outcome, outcome_reason } of own) {
      if (outcome !== 'simulated') unsettled.push(`${policy_id} is ${outcome}: ${String(outcome_reason)}`);
    }
    const plane = await planeOf(agent);
    tunnels += plane.tunnels.size + plane.steering.size;
    wrong.push(...[...differences(plane, own)].map((detail) => `${agent}: ${detail}`));
  }
  const { finding: accepted, shown } = await acceptedFindings(settling);
  const after = await revision(observer);
  if (before.computed_through !== before.revision) {
    unsettled.push(`revision ${before.revision} is computed through ${before.computed_through}`);
  }
  if (after.revision !== before.revision) unsettled.push(`revision ${before.revision} is ${after.revision} by now`);
  const findings = [
    { invariant: SETTLES, times: system.agents.length + desired.length, details: unsettled },
    { invariant: PLANE_IS_DESIRED, times: tunnels, details: wrong },
    accepted,
  ];
  return { findings, shown };
}

async function revision(observer: Observer): Promise<{ readonly revision: number; readonly computed_through: number }> {
  const [head] = await observer.ask<{ revision: number; computed_through: number }>('select * from head');
  if (head === undefined) throw new Error('there is no head');
  return head;
}

function* unsettledAgent(
  agent: string,
  status: AgentStatus | undefined,
  headend: { readonly generation: number; readonly acked_generation: number; readonly state_hash: Buffer } | undefined,
): Generator<string> {
  if (status === undefined) {
    yield `${agent} does not answer`;
    return;
  }
  const { session, failed, health } = status;
  if (!session.connected) yield `${agent} has no session`;
  if (health.error !== null) yield `the data plane of ${agent}: ${health.error}`;
  for (const { policyId, reason } of failed) yield `${policyId} failed: ${reason}`;
  if (headend === undefined) return;
  const { generation, acked_generation, state_hash } = headend;
  if (session.generation !== generation) yield `${agent} is at generation ${session.generation} of ${generation}`;
  if (acked_generation !== generation) yield `${agent} has acknowledged ${acked_generation} of ${generation}`;
  if (session.stateHash !== state_hash.toString('hex')) yield `the state hash of ${agent} is another`;
}

/** All that is there, and what should be, through both controllers. */
async function acceptedFindings({ system, client, ledger }: Settling) {
  const details: string[] = [];
  const shown = new Map<string, Content>();
  let times = 0;
  for (const controller of CONTROLLERS) {
    const base = system.url(controller);
    const there = new Map<string, Content>();
    for (const [resource, list] of LISTS) {
      for (const view of await readAll(client, base, list)) {
        // Policies of a mesh are its own.
        if (resource === 'policy' && view['mesh'] !== null) continue;
        there.set(`${resource} ${String(view['id'])}`, contentOfView(resource, view));
      }
    }
    for (const [id, { possible }] of ledger.entries) {
      const content = there.get(id) ?? null;
      shown.set(id, content);
      if (!possible.includes(content)) details.push(`${controller}: ${id} is ${content}, not ${possible.join(' or ')}`);
      there.delete(id);
      times += 1;
    }
    for (const [id, content] of there) if (content !== null) details.push(`${controller}: ${id} was never accepted`);
    for (const [link, state] of ledger.linkStates) {
      const answer = await client.send(base, { method: 'GET', path: `/v1/links/${link}` });
      const shown = answer.kind === 'answer' && answer.status === 200 ? operationalState(answer.body) : undefined;
      if (shown !== state) details.push(`${controller}: link ${link} is ${String(shown)}, not ${state}`);
      times += 1;
    }
  }
  const finding: Finding = { invariant: ACCEPTED_IS_THERE, times, details };
  return { finding, shown };
}

const LISTS: readonly (readonly [Resource, string])[] = [
  ['policy', '/v1/sr-policies'],
  ['mesh', '/v1/meshes'],
  ['link-constraints', '/v1/link-constraints'],
];

async function readAll(client: Client, base: string, list: string): Promise<readonly Record<string, unknown>[]> {
  const items: Record<string, unknown>[] = [];
  for (let after: string | null = ''; after !== null;) {
    const answer = await client.send(base, { method: 'GET', path: `${list}?limit=1000${after && `&after=${after}`}` });
    if (answer.kind === 'unknown' || answer.status !== 200) throw new Error(`${list}: ${JSON.stringify(answer)}`);
    const page = answer.body as { readonly items: readonly Record<string, unknown>[]; readonly next: string | null };
    items.push(...page.items);
    after = page.next;
  }
  return items;
}

function operationalState(view: unknown): string {
  return (view as { readonly effective: { readonly operationalState: string } }).effective.operationalState;
}
