import { afterAll, beforeAll, expect, it } from 'vitest';
import document from '../../openapi/openapi.json' with { type: 'json' };
import { OpenApiDocument } from '../contract/openapi-document.js';
import { runCampaign, type Verdict } from './campaign.js';
import { startFilledSystem, type FilledSystem } from './http/filled-system.js';
import type { HttpCase } from './http/http-case.js';
import type { HttpAnswer } from './http/http-client.js';
import { contradictoryIntent } from './http/intent-contradictions.js';
import { judgeAnswer } from './http/judge-answer.js';
import { seedBodies } from './http/requests.js';
import { DocumentedRequests, withSpoiledBody, withSpoiledParameter } from './http/spoiled-requests.js';
import { contradictoryTopology } from './http/topology-contradictions.js';
import { brokenWire, outOfFolder, withHostileHeaders } from './http/wire-cases.js';
import type { Random } from './random.js';

const contract = new OpenApiDocument(document);
const withBody = contract.operations.filter((operation) => seedBodies(operation).length > 0);
const documented = new DocumentedRequests(contract);
const importTopology = contract.operations.filter(({ operationId }) => operationId === 'importTopology');

/** Operations that change nothing that a request could be refused for, whatever their method. */
const pure = new Set(['computePaths', 'computeDisjointPaths', 'proveSegmentList', 'dryRun']);

let system: FilledSystem;
let unchanged: { marks: string; digest: string | undefined };

beforeAll(async () => {
  system = await startFilledSystem();
  unchanged = { marks: await system.marks(), digest: await system.digest() };
}, 240_000);

afterAll(() => system.stop(), 60_000);

function generate(random: Random): HttpCase {
  const { authorization } = system.key.headers;
  switch (
    random.weighted({ body: 40, documented: 8, parameter: 12, header: 7, wire: 4, file: 3, topology: 10, intent: 16 })
  ) {
    case 'body':
      return withSpoiledBody(contract, random, random.pick(withBody));
    case 'documented':
      return documented.one(random, random.pick(contract.operations));
    case 'parameter':
      return withSpoiledParameter(random, random.pick(contract.operations));
    case 'header':
      return withHostileHeaders(random, random.pick(contract.operations), authorization);
    case 'wire':
      return brokenWire(random, authorization);
    case 'file':
      return outOfFolder(random);
    case 'topology':
      return contradictoryTopology(random, random.pick(importTopology));
    case 'intent':
      return contradictoryIntent(contract, random);
  }
}

async function run(one: HttpCase): Promise<Verdict> {
  const { kind, bytes, method, url, headers, body } = one;
  let answers: readonly HttpAnswer[];
  try {
    answers =
      bytes === undefined
        ? [
            await system.client.send({
              method,
              url,
              headers: { ...system.key.headers, ...headers },
              ...(body === undefined ? {} : { body }),
            }),
          ]
        : await system.client.sendRaw(bytes, kind === 'header' || kind === 'static file');
  } catch (error) {
    return { outcome: 'none', fault: `no answer: ${String(error)}` };
  }
  const verdicts = answers.map((answer) => judgeAnswer(contract, { ...one, sent: one.text }, answer));
  const outcome = verdicts.map((verdict) => verdict.outcome).join(' ') || 'closed';
  if (kind === 'header' && answers.length === 0)
    return { outcome, fault: 'the connection was closed without an answer' };
  const written = await changed(one, answers);
  const fault = verdicts.find((verdict) => verdict.fault !== undefined)?.fault ?? written;
  if (fault !== undefined) return { outcome, fault };
  if (kind === 'static file') return { outcome, ...secretIn(answers) };
  return { outcome };
}

/** A refusal changes nothing; of what was taken, what matters to later cases is undone. */
async function changed(
  { operation, method, url }: HttpCase,
  answers: readonly HttpAnswer[],
): Promise<string | undefined> {
  const taken = answers.find(({ status }) => status < 300);
  const marks = await system.marks();
  if (taken === undefined) {
    const before = unchanged.marks;
    unchanged = { ...unchanged, marks };
    return marks === before ? undefined : `${operation?.operationId ?? 'something'} was refused and changed something`;
  }
  if (method === 'GET' || method === 'HEAD' || pure.has(operation?.operationId ?? '')) return undefined;
  if (operation !== undefined) await system.restore(operation.operationId, url, taken);
  unchanged = { marks: await system.marks(), digest: undefined };
  return undefined;
}

/** Nothing of this repository but what Swagger UI is made of is served. */
function secretIn(answers: readonly HttpAnswer[]): { fault?: string } {
  const found = answers.find(({ text }) => /root:.*:0:0:|"workspaces"|\[core\]/.test(text));
  return found === undefined ? {} : { fault: 'a file outside of its folder was served' };
}

/** Between two looks at the tables, either something was taken, or they are as they were. */
async function invariant(): Promise<string | undefined> {
  const trouble = system.trouble();
  if (trouble !== undefined) return trouble;
  const digest = await system.digest();
  const before = unchanged.digest;
  unchanged = { ...unchanged, digest };
  if (before === undefined || before === digest) return undefined;
  const differs = digest.split('\n').filter((line) => !before.includes(line));
  return `tables changed though every request was refused: ${differs.map((line) => line.split(' ')[0]).join(', ')}`;
}

it('answers whatever is sent with what it documents, and changes nothing that it refuses', async () => {
  const report = await runCampaign({
    name: 'http',
    cases: 1_000,
    generate,
    run,
    invariant: { every: 20, check: invariant },
  });
  process.stdout.write(report.summary);
  expect(report.failures.join('\n\n')).toBe('');
  expect((await system.ask('GET', '/readyz')).status).toBe(200);
}, 14_400_000);
