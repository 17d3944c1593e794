import { sql } from 'kysely';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { eventually } from '../../apps/controller/src/testing/eventually.js';
import { runCampaign, type Verdict } from './campaign.js';
import { grpcCase, heartbeat, type GrpcCase } from './grpc/agent-messages.js';
import { RawAgent, type CallEnd } from './grpc/raw-agent.js';
import { startFilledSystem, type FilledSystem } from './http/filled-system.js';

let system: FilledSystem;
let agent: RawAgent;
let unchanged: readonly string[];

beforeAll(async () => {
  system = await startFilledSystem();
  agent = new RawAgent(system.grpcAddress);
  await eventually(async () => {
    expect(await simulated()).toBe(POLICIES);
    expect(await outOfStep()).toBeUndefined();
  }, 120_000);
  unchanged = await spokenFor();
}, 240_000);

afterAll(async () => {
  agent.close();
  await system.stop();
}, 60_000);

/** Ends of a call by which a controller says what is wrong; INTERNAL is how gRPC tells of what is no message. */
const refusals = new Set([
  'INVALID_ARGUMENT',
  'PERMISSION_DENIED',
  'FAILED_PRECONDITION',
  'ABORTED',
  'RESOURCE_EXHAUSTED',
  'INTERNAL',
  'OK',
  'goes on',
  'closed',
]);
const leaks = /node_modules|\/dist\/|\bat \S+ \(|\.[jt]s:\d+|Cannot read prop|kysely|relation "/;

async function run({ call, messages, refusedWith }: GrpcCase): Promise<Verdict> {
  const end = await ended(call, messages);
  const wrong = faultOf(end, refusedWith);
  return { outcome: end.outcome, ...(wrong === undefined ? {} : { fault: wrong }) };
}

/** After the hostile messages comes a good one: a session that goes on has answered both. */
function ended(call: GrpcCase['call'], messages: readonly Buffer[]): Promise<CallEnd> {
  const [first = Buffer.alloc(0)] = messages;
  if (call === 'snapshot') return agent.snapshot(first);
  if (call === 'bytes') return agent.bytes(first);
  // The welcome and a digest at least.
  return agent.session([...messages, heartbeat], 2);
}

function faultOf({ outcome, details }: CallEnd, refusedWith: readonly string[] | undefined): string | undefined {
  if (refusedWith !== undefined && !refusedWith.includes(outcome))
    return `it ended in ${outcome} (${details}), not ${refusedWith.join(' or ')}`;
  if (!refusals.has(outcome)) return `it ended in ${outcome}: ${details}`;
  const leak = leaks.exec(details)?.[0];
  return leak === undefined ? undefined : `the end gives away "${leak}"`;
}

/** What no agent may have a say in: intent, desired state of others, and what files say of the topology. */
async function spokenFor(): Promise<readonly string[]> {
  const { rows } = await sql<{ row: string }>`
    select 'policy ' || p::text as row from sr_policy p union all select 'mesh ' || m::text from mesh m union all
    select 'key ' || k::text from api_key k union all select 'link ' || l::text from link_layer l union all
    select 'desired ' || concat_ws(' ', headend, policy_id, md5(body), deleted, outcome) from desired union all
    select 'locator ' || l::text from locator l union all select 'SID ' || s::text from sid s where source not like 'agent:%' union all
    select 'SID of two ' || s.sid from sid s where to_revision is null group by s.sid having count(distinct node_id) > 1
  `.execute(system.database.db);
  return rows.map(({ row }) => row).toSorted();
}

/** Those that the system is filled with: two, and a mesh of three hosts. */
const POLICIES = 8;

/** Policies that the agents of the demo have taken. */
async function simulated(): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    select count(*)::int as count from desired where outcome = 'simulated' and not deleted`.execute(system.database.db);
  return rows[0]?.count ?? 0;
}

interface AgentView {
  readonly node: string;
  readonly inSync: boolean;
  readonly state: string;
}

/** The agents of the demo, which go on meanwhile. */
async function outOfStep(): Promise<string | undefined> {
  const { items } = JSON.parse((await system.ask('GET', '/v1/agents?limit=1000')).text) as {
    items: readonly AgentView[];
  };
  const demo = items.filter(({ node }) => node.startsWith('dc-'));
  const wrong = demo.filter(({ inSync, state }) => !inSync || state !== 'connected');
  if (demo.length === 8 && wrong.length === 0) return undefined;
  return `agents out of step: ${wrong.map(({ node, state }) => `${node} ${state}`).join(', ')}`;
}

async function invariant(): Promise<string | undefined> {
  const trouble = system.trouble();
  if (trouble !== undefined) return trouble;
  const now = await spokenFor();
  const [before, after] = [new Set(unchanged), new Set(now)];
  const news = now.filter((row) => !before.has(row)).concat(unchanged.filter((row) => !after.has(row)));
  unchanged = now;
  return news.length === 0 ? undefined : `an agent changed what is not its own: ${news.slice(0, 4).join(' | ')}`;
}

it('takes from agents what they may say, and ends the session of whoever says anything else', async () => {
  const report = await runCampaign({
    name: 'grpc',
    cases: 600,
    generate: grpcCase,
    run,
    invariant: { every: 50, check: invariant },
  });
  process.stdout.write(report.summary);
  expect(report.failures.join('\n\n')).toBe('');
  await eventually(async () => expect(await outOfStep()).toBeUndefined(), 60_000);
}, 14_400_000);
