import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import document from '../../openapi/openapi.json' with { type: 'json' };
import { writeAdminKey } from '../../apps/controller/src/testing/admin-key.js';
import { eventually } from '../../apps/controller/src/testing/eventually.js';
import { createTestDatabase, type TestDatabase } from '../../apps/controller/src/testing/test-database.js';
import { OpenApiDocument } from '../contract/openapi-document.js';
import { freePort, ManagedProcess } from '../lab/managed-process.js';
import { root, startSystem, type StartedSystem } from '../started-system.js';
import { headingsOf } from './headings.js';

/*
 * Whoever reads docs/operations.md at night searches for what it names: metrics, settings, messages, paths, alerts. They are
 * held against the program itself.
 */
const page = readFileSync(join(root, 'docs/operations.md'), 'utf8');
const spans = [...page.matchAll(/`([^`]+)`/g)].map(([, text = '']) => text.replaceAll(/\s+/g, ' '));
const alertsFile = 'examples/monitoring/waymark-alerts.yaml';

interface Alert {
  readonly alert: string;
  readonly expr: string;
  readonly annotations: { readonly summary: string; readonly runbook: string };
}

const alerts = (
  parse(readFileSync(join(root, alertsFile), 'utf8')) as {
    readonly groups: readonly { readonly rules: readonly Alert[] }[];
  }
).groups.flatMap(({ rules }) => rules);

/** Source text of a folder, without tests; strings that are put together with + are whole. */
function sourcesOf(folder: string): string {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts') && !name.includes('testing/'))
    .map((name) => readFileSync(join(root, folder, name), 'utf8'))
    .join('\n')
    .replaceAll(/['`] \+\s+['`]/g, '');
}

const sources = ['apps/controller/src', 'apps/node-agent/src', 'packages/agent-protocol/src'].map(sourcesOf).join('\n');

describe('metrics and settings that documents name', () => {
  let database: TestDatabase;
  let folder: string;
  let system: StartedSystem;
  let agent: ManagedProcess;
  let exposed: string;

  beforeAll(async () => {
    database = await createTestDatabase();
    folder = mkdtempSync(join(tmpdir(), 'waymark-operations-'));
    const { settings, headers } = writeAdminKey(folder);
    system = await startSystem({ DATABASE_URL: database.url, ...settings });
    const port = await freePort('127.0.0.1');
    agent = ManagedProcess.spawn('agent', [process.execPath, join(root, 'apps/node-agent/dist/main.js')], {
      ...{ WAYMARK_NODE_ID: 'h1', WAYMARK_CONTROLLER: '127.0.0.1:1', WAYMARK_DATA_DIR: folder },
      WAYMARK_STATUS_PORT: String(port),
    });
    await agent.printed(/status: http/, 60_000);
    const metricsAt = async (url: string) => (await fetch(`${url}/metrics`, { headers })).text();
    await eventually(async () => {
      exposed = `${await metricsAt(system.url)}\n${await metricsAt(`http://127.0.0.1:${String(port)}`)}`;
      expect(exposed).toContain('waymark_agent_connected');
    });
  }, 180_000);

  afterAll(async () => {
    await agent.stop();
    await system.stop();
    await database.drop();
    rmSync(folder, { recursive: true, force: true });
  }, 60_000);

  /** Of a histogram too. */
  const isExposed = (name: string) => exposed.includes(`# TYPE ${name.replace(/_(count|sum|bucket)$/, '')} `);

  it.each([
    'README.md',
    ...readdirSync(join(root, 'docs')).flatMap((name) => (name.endsWith('.md') ? [`docs/${name}`] : [])),
  ])('are there: %s', (name) => {
    const text = readFileSync(join(root, name), 'utf8');
    for (const [, metric = '', alternatives] of text.matchAll(/`(waymark_[a-z_]+)(?:\{([a-z_,]+)\})?/g)) {
      // docs/node-agent.md writes families as waymark_x_{a,b}
      const names =
        metric.endsWith('_') && alternatives !== undefined
          ? alternatives.split(',').map((end) => metric + end)
          : [metric];
      for (const one of names) expect(isExposed(one), one).toBe(true);
    }
  });

  it('are there: alerts', () => {
    expect(alerts.length).toBeGreaterThan(10);
    expect(new Set(alerts.map(({ alert }) => alert)).size).toBe(alerts.length);
    for (const { alert, expr } of alerts) {
      const names = expr.match(/\bwaymark_[a-z_]+/g) ?? [];
      expect(names, alert).not.toEqual([]);
      for (const name of names) expect(isExposed(name), `${alert}: ${name}`).toBe(true);
      for (const [, name = '', selectors = ''] of expr.matchAll(/(waymark_[a-z_]+)\{([^}]+)\}/g)) {
        const samples = exposed.split('\n').filter((line) => line.startsWith(`${name}{`));
        for (const [selector, label = '', value = ''] of selectors.matchAll(/(\w+)="([^"]+)"/g)) {
          // events and answers show only once they have come
          const isToCome = label === 'status' ? /^[45]\d\d$/.test(value) : sources.includes(`'${value}': {`);
          const isThere = samples.some((line) => line.includes(selector));
          expect(isThere || isToCome, `${alert}: ${selector}`).toBe(true);
        }
      }
    }
  });

  it.each([
    'README.md',
    'docs/operations.md',
    'docs/operating.md',
    'docs/threat-model.md',
    'docs/node-agent.md',
    'docs/vpp.md',
  ])('are read somewhere: %s', (name) => {
    for (const [setting] of readFileSync(join(root, name), 'utf8').matchAll(/\bWAYMARK_[A-Z_]+[A-Z]\b/g)) {
      if (setting.startsWith('WAYMARK_TEST_')) continue;
      expect(
        new RegExp(`${setting}\\b`).test(sources) || sources.includes(setting.replace(/_(CA|CERT|KEY)_FILE$/, '')),
        setting,
      ).toBe(true);
    }
  });
});

describe('docs/operations.md', () => {
  /** What others print, and what readers type. */
  const foreign = new Set([
    ...[
      'sorry, too many clients already',
      'remaining connection slots are reserved',
      'certificate expired',
      'certificate is not yet valid',
      'vacuum full',
    ],
    ...['client-output-buffer-limit pubsub', 'redis-cli --latency', 'ip route flush', 'kubectl auth can-i'],
    ...['curl 127.0.0.1:9850/status', 'made: 0', 'removed: 0', 'adminState: drained'],
  ]);

  it('names messages that the program has', () => {
    const messages = spans.filter(
      (text) => /^[a-z][\w'’,;:.…/-]* /i.test(text) && !/^(GET|POST|DELETE|npm|ACL|SLOWLOG) /.test(text),
    );
    expect(messages.length).toBeGreaterThan(30);
    for (const message of messages.filter((text) => !foreign.has(text))) {
      for (const part of message.split('…')) expect(sources.includes(part.trim()), message).toBe(true);
    }
    for (const text of foreign) expect(spans, text).toContain(text);
  });

  it('names operations and filters that the API has', () => {
    const { operations } = new OpenApiDocument(document);
    const shape = (path: string) => path.replaceAll(/\{[^}]+\}|kubernetes:<\w+>/g, '*');
    let queries = 0;
    for (const [, method = '', path = '', query] of spans.map(
      (text) => /^(GET|POST|DELETE) (\/[^?\s]*)(?:\?(\S+))?$/.exec(text) ?? [],
    )) {
      if (method === '') continue;
      const found = operations.find((one) => one.method === method && shape(one.path) === shape(path));
      expect(found, `${method} ${path}`).toBeDefined();
      const [name] = query?.split('=') ?? [];
      if (name === undefined) continue;
      queries++;
      expect(found?.parameters.map((one) => one.name)).toContain(name);
    }
    expect(queries).toBeGreaterThan(3);
  });

  it('names events that there are', () => {
    const events = spans.filter((text) => /^(topology|policy|mesh|agent|source|leader)\.[a-z]+$/.test(text));
    expect(events.length).toBeGreaterThan(5);
    for (const event of events) expect(sources.includes(`'${event}': {`), event).toBe(true);
  });

  it('lists every failure at its beginning', () => {
    const listed = [...page.matchAll(/\]\(#([\w-]+)\)/g)].map(([, anchor]) => anchor);
    for (const anchor of headingsOf(page).slice(1)) expect(listed).toContain(anchor);
  });

  it('is where alerts lead', () => {
    for (const { alert, annotations } of alerts) {
      const [file, anchor] = annotations.runbook.split('#');
      expect(file, alert).toBe('docs/operations.md');
      expect(headingsOf(page), alert).toContain(anchor);
    }
  });
});
