import { sql } from 'kysely';
import { afterAll, beforeAll, expect, it } from 'vitest';
import document from '../../openapi/openapi.json' with { type: 'json' };
import { eventually } from '../../apps/controller/src/testing/eventually.js';
import { OpenApiDocument } from '../contract/openapi-document.js';
import { runCampaign, type Verdict } from './campaign.js';
import { judgeAnswer } from './http/judge-answer.js';
import { operationNamed } from './http/requests.js';
import { FuzzedClusters } from './kubernetes/fuzzed-clusters.js';
import { answerCase, refusalCase, watchCase } from './kubernetes/hostile-answers.js';
import { objectCase, standing, standingWith, type OurKind } from './kubernetes/hostile-objects.js';
import type {
  AnswerCase,
  KubernetesCase,
  ListAnswer,
  ObjectCase,
  RefusalCase,
  WatchCase,
} from './kubernetes/kubernetes-case.js';
import { comeThrough } from './kubernetes/markers.js';
import { kinds, matchOf, resources, type Kind } from './kubernetes/resources.js';
import type { Random } from './random.js';

const contract = new OpenApiDocument(document);
const listClusters = operationNamed(contract, 'listClusters');
const PATIENCE_MS = 60_000;

let clusters: FuzzedClusters;
let steady: string;
let round = 0;
/** Hostile objects that are still there, by kind. */
let left: (readonly [Kind, string, string | undefined])[] = [];

beforeAll(async () => {
  clusters = await FuzzedClusters.start();
  await comeThrough(clusters, round++);
  await eventually(async () => {
    steady = await clusters.steady();
    expect(steady.match(/^node /gm)).toHaveLength(6);
    expect(steady.match(/^member /gm)).toHaveLength(1);
    expect(steady.match(/^owned .*(standing|steady|london)/gm)).toHaveLength(9);
  }, 120_000);
}, 300_000);

afterAll(() => clusters.stop(), 60_000);

function generate(random: Random, index: number): KubernetesCase {
  switch (random.weighted({ object: 60, answer: 16, watch: 16, refusal: 8 })) {
    case 'object':
      return objectCase(random, index);
    case 'answer':
      return answerCase(random, index);
    case 'watch':
      return watchCase(random, index);
    case 'refusal':
      return refusalCase(random);
  }
}

async function run(one: KubernetesCase): Promise<Verdict> {
  const verdict = await actOut(one);
  if (verdict.fault !== undefined) return verdict;
  const fault = clusters.system.trouble() ?? (await wrongView());
  return fault === undefined ? verdict : { ...verdict, fault };
}

async function actOut(one: KubernetesCase): Promise<Verdict> {
  switch (one.act) {
    case 'create':
    case 'update':
      return write(one);
    case 'answer':
      return answer(one);
    case 'watch':
      return tell(one);
    case 'refusal':
      return refuse(one);
  }
}

/** What the API tells of the clusters, whatever comes from them. */
async function wrongView(): Promise<string | undefined> {
  const got = await clusters.system.ask('GET', '/v1/clusters');
  return judgeAnswer(contract, { operation: listClusters, method: 'GET', sent: '', mustAccept: true }, got).fault;
}

async function write({ act, resource, name, body }: ObjectCase): Promise<Verdict> {
  if (resource === 'ConfigMap') clusters.remove('ConfigMap', name);
  const before = await owned(resource, name);
  const { status, text } =
    act === 'create' ? await clusters.send('POST', resource, body) : await clusters.send('PUT', resource, body, name);
  if (status >= 300) return { outcome: `API server: ${status}` };
  const made = JSON.parse(text) as { readonly metadata: { readonly name: string; readonly namespace?: string } };
  if (!resources[resource].isOurs) {
    left.push([resource, made.metadata.name, made.metadata.namespace]);
    return { outcome: 'taken' };
  }
  const { status: isAccepted, reason, message } = await clusters.accepted(resource, made.metadata.name);
  const after = await owned(resource, name);
  const outcome = isAccepted === 'True' ? 'accepted' : reason;
  await putRight(act, resource, made.metadata.name);
  if (isAccepted === 'True') return { outcome };
  if (reason === '' || message === '') return { outcome, fault: `it is refused with "${reason}" and "${message}"` };
  return after === before ? { outcome } : { outcome, fault: `it is refused, and changed what it owns: ${after}` };
}

/** What was made is withdrawn; what was changed is as it was, and as good. */
async function putRight(act: ObjectCase['act'], kind: Kind, name: string): Promise<void> {
  if (act === 'create') {
    clusters.remove(kind, name);
    await eventually(() => clusters.find(kind, name) === undefined, PATIENCE_MS);
    return;
  }
  clusters.put(standing[kind as OurKind]);
  expect(await clusters.accepted(kind, name)).toMatchObject({ status: 'True' });
}

/** What an object has made, as text. */
async function owned(kind: Kind, name: string): Promise<string> {
  const owner = `kubernetes:paris/${kind}/${name}`;
  const { rows } = await sql<{ row: string }>`
    select concat_ws(' ', o.kind, o.id, p::text, m::text, c::text, l::text) as row from owned_object o
      left join sr_policy p on o.kind = 'policy' and p.id = o.id
      left join candidate_path c on o.kind = 'policy' and c.policy_id = o.id
      left join mesh m on o.kind = 'mesh' and m.id = o.id
      left join link_layer l on o.kind = 'link-constraints' and l.link_id = o.id and l.layer = 'operator'
        and l.to_revision is null
    where o.owner = ${owner} order by 1`.execute(clusters.system.database.db);
  return rows.map(({ row }) => row).join('\n');
}

/** The next time that it lists, it is answered this. */
async function answer({ resource, answer: make }: AnswerCase): Promise<Verdict> {
  const { server } = clusters;
  const { apiVersion, kind } = resources[resource];
  const match = matchOf(resources[resource]);
  await clusters.follows(resource);
  const truth: ListAnswer = {
    ...{ apiVersion, kind: `${kind}List`, metadata: { resourceVersion: String(server.resourceVersion) } },
    items: server.list(apiVersion, kind),
  };
  server.faults.arm({ kind: 'nonsense', body: make(truth) }, { ...match, verb: 'list' }, 1);
  await listedAnew(resource);
  server.faults.clear();
  return { outcome: 'listed' };
}

async function listedAnew(resource: Kind): Promise<void> {
  const { server } = clusters;
  const match = matchOf(resources[resource]);
  const name = `list ${resources[resource].plural}${match.group === '' ? '' : `.${match.group ?? ''}`}`;
  const before = server.calls.count(name);
  await eventually(() => {
    server.faults.expireWatches(match);
    return server.calls.count(name) > before;
  }, PATIENCE_MS);
}

async function tell({ resource, lines, isCut }: WatchCase): Promise<Verdict> {
  const { faults } = clusters.server;
  const match = matchOf(resources[resource]);
  await clusters.follows(resource);
  await eventually(() => faults.sendToWatches(lines, match) > 0, PATIENCE_MS);
  if (isCut) faults.dropWatches(match);
  return { outcome: isCut ? 'sent and cut' : 'sent' };
}

async function refuse({ resource, verb, fault, times }: RefusalCase): Promise<Verdict> {
  const { faults } = clusters.server;
  const match = matchOf(resources[resource]);
  if (verb === 'list' || verb === 'watch') {
    await clusters.follows(resource);
    faults.arm(fault, { ...match, verb }, times);
    if (verb === 'list') await listedAnew(resource);
    else await eventually(() => faults.endWatches(match) > 0, PATIENCE_MS);
    return { outcome: 'befallen' };
  }
  faults.arm(fault, verb === 'patch' ? { ...match, verb } : { verb: 'create', resource: 'events' }, times);
  clusters.put(standingWith(resource as OurKind, 91_000));
  // What fails to be written is written in the end.
  const { status } = await clusters.accepted(resource, 'standing');
  faults.clear();
  return status === 'True' ? { outcome: 'told in the end' } : { outcome: 'told', fault: `Accepted is ${status}` };
}

/** Everything is listed anew as it is, without what was hostile. */
async function invariant(): Promise<string | undefined> {
  const { server } = clusters;
  server.faults.clear();
  for (const [kind, name, home] of left) clusters.remove(kind, name, home);
  left = [];
  for (const kind of Object.keys(standing) as OurKind[]) clusters.put(standing[kind]);
  for (const kind of kinds) await listedAnew(kind);
  await comeThrough(clusters, round++);
  const isSteady = await clusters.steady();
  const before = new Set(steady.split('\n'));
  const news = isSteady.split('\n').filter((row) => !before.has(row));
  const gone = steady.split('\n').filter((row) => !isSteady.includes(row));
  steady = isSteady;
  if (news.length + gone.length > 0) return `what was valid is another: ${[...gone, ...news].slice(0, 4).join(' | ')}`;
  for (const path of ['/v1/nodes?limit=1000', '/v1/sr-policies?limit=1000', '/v1/service-classes', '/readyz']) {
    const { status, text } = await clusters.system.ask('GET', path);
    if (status !== 200) return `${path} gives ${status}: ${text.slice(0, 300)}`;
  }
  return clusters.system.trouble() ?? (await wrongView());
}

it('takes from clusters what can be used, says what cannot, and loses nothing', async () => {
  const report = await runCampaign({
    name: 'kubernetes',
    cases: 20,
    generate,
    run,
    invariant: { every: 5, check: invariant },
  });
  process.stdout.write(report.summary);
  expect(report.failures.join('\n\n')).toBe('');
}, 14_400_000);
