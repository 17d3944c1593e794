import { afterEach, describe, expect, it } from 'vitest';
import type { ControllerView } from '../model/controllers.js';
import type { AgentView } from '../model/agents.js';
import { EventHub } from '../event-hub.js';
import { testApp } from '../testing/test-app.js';
import type { ApiApp } from './type-provider.js';

let app: ApiApp | undefined;
afterEach(() => app?.close());

const failing = {
  live: true,
  ready: false,
  checks: { database: { ok: false, detail: 'does not answer' }, bus: { ok: true, detail: 'in memory' } },
};

function agent(node: string, installed: number): AgentView {
  return {
    node,
    state: 'connected',
    agentVersion: '0.1.0',
    protocolVersion: 2,
    lacks: [],
    dataplane: 'linux',
    controller: 'c1',
    lastSeen: '2026-01-01T00:00:00Z',
    goneSince: null,
    bus: 'subscribed',
    dataplaneError: null,
    driftRepairs: 0,
    desired: { epoch: 1, generation: 3 },
    accepted: { epoch: 1, generation: 3 },
    inSync: true,
    policies: { total: installed, installed, simulated: 0, pending: 0, failed: 0 },
  };
}

/** c1 leads and answers. */
function controller(name: string): ControllerView {
  const isFirst = name === 'c1';
  return {
    id: name,
    name,
    self: isFirst,
    state: isFirst ? 'leads' : 'follows',
    version: '0.1.0',
    startedAt: '2026-01-01T00:00:00Z',
    lastSeen: '2026-01-01T00:00:00Z',
    revision: isFirst ? 8 : 9,
    behindMs: isFirst ? 1_500 : 0,
  };
}

describe('health', () => {
  it('is alive but not ready while a check fails', async () => {
    ({ app } = await testApp({ health: () => Promise.resolve(failing) }));
    expect((await app.inject('/healthz')).statusCode).toBe(200);
    const ready = await app.inject('/readyz');
    expect(ready.statusCode).toBe(503);
    expect(ready.headers['retry-after']).toBe('1');
    expect(ready.json()).toMatchObject({ code: 'not-ready', detail: 'database: does not answer' });
  });
});

describe('metrics', () => {
  it('count requests by operation, and show what the services say', async () => {
    const events = new EventHub();
    const pages = [
      { items: [agent('a', 2)], next: 'a' },
      { items: [agent('b', 3)], next: null },
    ];
    ({ app } = await testApp({
      events,
      topology: {
        head: () =>
          Promise.resolve({
            instance: 'i',
            revision: 9,
            tedRevision: 4,
            computedThrough: 8,
            nodes: 3,
            routers: 1,
            hosts: 2,
            links: 4,
          }),
        sources: () => Promise.resolve({ items: [], next: null }),
      },
      policies: {
        withoutBindingSids: () => Promise.resolve(3),
        livenessCounts: () =>
          Promise.resolve({
            active: { up: 8, down: 2, unknown: 0 },
            standby: { up: 1, down: 0, unknown: 3 },
            headendsOnStandby: 1,
            policiesOnStandby: 2,
          }),
      },
      controllers: {
        leads: true,
        controllers: () => Promise.resolve({ epoch: 7, leader: null, items: [controller('c1'), controller('c2')] }),
      },
      agents: {
        agents: (_, page) => Promise.resolve(pages[page.after === undefined ? 0 : 1] ?? { items: [], next: null }),
      },
    }));
    await app.inject('/v1/nodes/-');
    await app.inject('/nothing');
    events.emit({ type: 'source.released', at: '2026-01-01T00:00:00Z', data: { source: 's' } });
    const response = await app.inject('/metrics');
    expect(response.headers['content-type']).toMatch(/^text\/plain/);
    for (const line of [
      'waymark_policies_without_bsids 3',
      'waymark_http_request_duration_seconds_count{method="GET",route="/v1/nodes/:id",status="400"} 1',
      'waymark_http_request_duration_seconds_count{method="GET",route="none",status="404"} 1',
      'waymark_events_total{type="source.released"} 1',
      'waymark_revision 9',
      'waymark_computed_through_revision 8',
      'waymark_topology_entities{kind="host"} 2',
      'waymark_agents{state="connected"} 2',
      'waymark_agent_policies{install="installed"} 5',
      'waymark_probed_lists{role="active",state="down"} 2',
      'waymark_probed_lists{role="standby",state="unknown"} 3',
      'waymark_headends_on_standby 1',
      'waymark_policies_on_standby 2',
      'waymark_ready 1',
      'waymark_leader 1',
      'waymark_leader_epoch 7',
      'waymark_controllers{state="leads"} 1',
      'waymark_controllers{state="follows"} 1',
      'waymark_view_revision 8',
      'waymark_view_behind_seconds 1.5',
    ]) {
      expect(response.body).toContain(`${line}\n`);
    }
  });

  it('are there when the controller is not ready', async () => {
    ({ app } = await testApp({ health: () => Promise.resolve(failing) }));
    const response = await app.inject('/metrics');
    expect(response.statusCode).toBe(200);
    expect(response.body).toContain('waymark_ready 0\n');
  });
});

describe('Swagger UI', () => {
  it('is served with a policy that allows only what this server serves', async () => {
    ({ app } = await testApp());
    const page = await app.inject('/docs/');
    expect(page.statusCode).toBe(200);
    const policy = String(page.headers['content-security-policy']);
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toContain('upgrade-insecure-requests');
    const scripts = [...page.body.matchAll(/<script([^>]*)>([^<]*)/g)];
    expect(scripts.length).toBeGreaterThan(0);
    for (const [, attributes = '', inline] of scripts) {
      expect(inline?.trim()).toBe('');
      const source = /src="([^"]+)"/.exec(attributes)?.[1] ?? '';
      expect((await app.inject(`/docs/${source}`)).statusCode, source).toBe(200);
    }
  });

  it('shows the document that /openapi.json serves', async () => {
    ({ app } = await testApp());
    const document = (await app.inject('/openapi.json')).json<{ openapi: string }>();
    expect(document.openapi).toBe('3.1.0');
    expect((await app.inject('/docs/json')).json()).toEqual(document);
  });

  it('is not for pages of other origins', async () => {
    ({ app } = await testApp());
    const response = await app.inject({ url: '/healthz', headers: { origin: 'https://example.com' } });
    expect(response.headers).not.toHaveProperty('access-control-allow-origin');
    expect(response.headers).toMatchObject({ 'x-content-type-options': 'nosniff' });
  });
});
