import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { writeAdminKey, type AdminKey } from '../../../apps/controller/src/testing/admin-key.js';
import { createTestDatabase, type TestDatabase } from '../../../apps/controller/src/testing/test-database.js';
import { freePort } from '../../lab/managed-process.js';
import { root, startSystem, type StartedSystem } from '../../started-system.js';
import { HttpClient, type HttpAnswer } from './http-client.js';

/** A controller in a process of its own, with the demo and its agents, filled with one of everything that operators make. */
export interface FilledSystem {
  readonly url: string;
  readonly grpcAddress: string;
  readonly database: TestDatabase;
  readonly client: HttpClient;
  readonly key: AdminKey;
  /** Undefined, or how the process ended, or what it logged as a fault of its own. */
  trouble(): string | undefined;
  /** What a refused request must leave as it is, at little cost: the newest entries of audit and change log. */
  marks(): Promise<string>;
  /** A digest of all that operators and sources have said. */
  digest(): Promise<string>;
  /** Undoes what a request of this operation did that was taken. */
  restore(operationId: string, url: string, answer: HttpAnswer): Promise<void>;
  ask(method: string, url: string, body?: unknown, headers?: Readonly<Record<string, string>>): Promise<HttpAnswer>;
  stop(): Promise<void>;
}

const intentTables = [
  ...['node_layer', 'link_layer', 'locator', 'sid', 'source', 'affinity', 'mesh', 'mesh_override', 'sr_policy'],
  ...['candidate_path', 'api_key', 'audit', 'owned_object', 'signing_key'],
];

const dynamic = { discriminator: 1, preference: 100, path: { kind: 'dynamic', metric: 'delay', constraints: {} } };
const policies = [
  { headend: 'dc-london', color: 100, endpoint: 'dc-athens', candidatePaths: [dynamic], fallback: 'shortest-path' },
  {
    headend: 'dc-madrid',
    color: 100,
    endpoint: 'dc-milan',
    candidatePaths: [dynamic],
    fallback: 'drop',
    steeredPrefixes: ['10.66.0.0/16'],
  },
] as const;
const mesh = {
  ...{ id: 'fuzz-mesh', color: 200, selector: { nodes: ['dc-stockholm', 'dc-vienna', 'dc-frankfurt'] } },
  ...{ template: { candidatePaths: [dynamic], fallback: 'drop' }, overrides: [] },
};
const key = { name: 'fuzz-key', role: 'viewer' };
const batch = {
  id: 'fuzz-batch',
  kind: 'requests',
  requests: [{ source: 'dc-london', destination: 'dc-athens', metric: 'igp', constraints: {} }],
};
const sweep = { id: 'fuzz-sweep', kinds: ['link'] };

export async function startFilledSystem(settings: NodeJS.ProcessEnv = {}): Promise<FilledSystem> {
  const database = await createTestDatabase();
  const folder = await mkdtemp(join(tmpdir(), 'waymark-fuzz-'));
  const admin = writeAdminKey(folder);
  const grpcPort = await freePort('127.0.0.1');
  const system = await startSystem({
    ...{ DATABASE_URL: database.url, WAYMARK_DEMO: 'on', WAYMARK_GRPC_PORT: String(grpcPort), WAYMARK_WORKERS: '1' },
    // one client asks as fast as it can, and its wrong keys are meant
    ...{ WAYMARK_RATE_LIMIT: '0', WAYMARK_RATE_LIMIT_REFUSED: '0' },
    ...admin.settings,
    ...settings,
  });
  const filled = new Filled(system, database, admin, `127.0.0.1:${grpcPort}`, folder);
  try {
    await filled.fill();
  } catch (error) {
    await filled.stop();
    throw error;
  }
  return filled;
}

class Filled implements FilledSystem {
  readonly url: string;
  readonly client: HttpClient;
  readonly #system: StartedSystem;
  readonly #folder: string;
  /** Of the output. */
  #seen = 0;

  constructor(
    system: StartedSystem,
    readonly database: TestDatabase,
    readonly key: AdminKey,
    readonly grpcAddress: string,
    folder: string,
  ) {
    this.url = system.url;
    this.client = new HttpClient(system.url);
    this.#system = system;
    this.#folder = folder;
  }

  async fill(): Promise<void> {
    for (const policy of policies) await this.#mustPost('/v1/sr-policies', policy);
    await this.#mustPost('/v1/meshes', mesh);
    await this.#mustPost('/v1/api-keys', key);
    await this.#mustPost('/v1/path-computation-batches', batch);
    await this.#mustPost('/v1/failure-sweeps', sweep);
  }

  trouble(): string | undefined {
    const { output } = this.#system.process;
    const lines = output.slice(this.#seen).split('\n');
    this.#seen = output.length;
    const line = lines.find((text) =>
      /"level":[56]0|"type":"(Type|Range|Reference|Syntax|Database)Error"|^\s+at |^node:internal|Warning: /.test(text),
    );
    return line === undefined
      ? undefined
      : `the controller logged a fault: ${line.replace(/"(time|pid)":\d+,/g, '').slice(0, 1_500)}`;
  }

  async marks(): Promise<string> {
    const query = sql<{ marks: string }>`select (select coalesce(max(id), 0) from audit) || ' ' ||
      (select coalesce(max(revision), 0) from revision where actor = 'admin-key') as marks`;
    return (await query.execute(this.database.db)).rows[0]?.marks ?? '';
  }

  async digest(): Promise<string> {
    const parts = intentTables.map(
      (table) =>
        sql`select ${table} as name, md5(coalesce(string_agg(t::text, '|' order by t::text), '')) as sum from ${sql.table(table)} t`,
    );
    const { rows } = await sql<{ name: string; sum: string }>`${sql.join(parts, sql` union all `)}`.execute(
      this.database.db,
    );
    return rows
      .map(({ name, sum }) => `${name} ${sum}`)
      .toSorted()
      .join('\n');
  }

  async ask(
    method: string,
    url: string,
    body?: unknown,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<HttpAnswer> {
    const type = body === undefined ? {} : { 'content-type': 'application/json' };
    const sent = { method, url, headers: { ...this.key.headers, ...type, ...headers } };
    return this.client.send(body === undefined ? sent : { ...sent, body: Buffer.from(JSON.stringify(body)) });
  }

  async restore(operationId: string, url: string, answer: HttpAnswer): Promise<void> {
    if (/Policy$/.test(operationId)) await this.#restorePolicies();
    else if (/Mesh$/.test(operationId)) await this.#restoreMeshes();
    else if (/ApiKey$/.test(operationId)) await this.#restoreKeys();
    else if (/LinkConstraints$/.test(operationId)) await this.#clearLinkConstraints();
    else if (/NodeConstraints$/.test(operationId))
      await this.ask('DELETE', url.split('?')[0] ?? '', undefined, { 'if-match': '*' });
    else if (operationId === 'importTopology') await this.#importDemo();
    else if (/PathBatch$|FailureSweep$/.test(operationId)) await this.#restoreJobs(answer);
  }

  async stop(): Promise<void> {
    this.client.close();
    await this.#system.stop();
    await this.database.drop();
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #restorePolicies(): Promise<void> {
    const known = new Set<string>(policies.map(({ headend, color, endpoint }) => `${headend}:${color}:${endpoint}`));
    for (const { id, mesh: owner } of await this.#items<{ id: string; mesh: string | null }>(
      '/v1/sr-policies?limit=1000',
    )) {
      if (owner === null && !known.has(id))
        await this.#must('DELETE', `/v1/sr-policies/${id}`, undefined, { 'if-match': '*' });
    }
    for (const policy of policies) {
      const created = await this.ask('POST', '/v1/sr-policies', policy);
      const id = `${policy.headend}:${policy.color}:${policy.endpoint}`;
      if (created.status !== 201) await this.#must('PUT', `/v1/sr-policies/${id}`, policy, { 'if-match': '*' });
      await this.ask('POST', `/v1/sr-policies/${id}/unpin`, undefined, { 'if-match': '*' });
    }
  }

  async #restoreMeshes(): Promise<void> {
    for (const { id } of await this.#items<{ id: string }>('/v1/meshes?limit=1000')) {
      if (id !== mesh.id) await this.#must('DELETE', `/v1/meshes/${id}`, undefined, { 'if-match': '*' });
    }
    const created = await this.ask('POST', '/v1/meshes', mesh);
    if (created.status !== 201) await this.#must('PUT', `/v1/meshes/${mesh.id}`, mesh, { 'if-match': '*' });
  }

  async #restoreKeys(): Promise<void> {
    for (const { name } of await this.#items<{ name: string }>('/v1/api-keys?limit=1000')) {
      await this.#must('DELETE', `/v1/api-keys/${name}`);
    }
    await this.#mustPost('/v1/api-keys', key);
  }

  async #clearLinkConstraints(): Promise<void> {
    for (const { id } of await this.#items<{ id: string }>('/v1/link-constraints?limit=1000')) {
      await this.#must('DELETE', `/v1/links/${id}/constraints`, undefined, { 'if-match': '*' });
    }
  }

  async #importDemo(): Promise<void> {
    const content = await readFile(join(root, 'examples/geant-datacentres.yaml'), 'utf8');
    await this.#mustPost('/v1/topology/imports', { format: 'native', source: 'demo', content });
  }

  /** A job that was started would keep the only worker busy; one that was deleted is needed again. */
  async #restoreJobs({ text }: HttpAnswer): Promise<void> {
    const { id } = (text === '' ? {} : JSON.parse(text)) as { id?: string };
    if (id !== undefined && id !== batch.id) await this.ask('DELETE', `/v1/path-computation-batches/${id}`);
    if (id !== undefined && id !== sweep.id) await this.ask('DELETE', `/v1/failure-sweeps/${id}`);
    await this.ask('POST', '/v1/path-computation-batches', batch);
    await this.ask('POST', '/v1/failure-sweeps', sweep);
  }

  async #items<Item>(url: string): Promise<readonly Item[]> {
    return (JSON.parse((await this.#must('GET', url)).text) as { readonly items: readonly Item[] }).items;
  }

  async #mustPost(url: string, body: unknown): Promise<void> {
    await this.#must('POST', url, body);
  }

  async #must(
    method: string,
    url: string,
    body?: unknown,
    headers?: Readonly<Record<string, string>>,
  ): Promise<HttpAnswer> {
    const answer = await this.ask(method, url, body, headers);
    if (answer.status >= 300) throw new Error(`${method} ${url} gave ${answer.status}: ${answer.text}`);
    return answer;
  }
}
