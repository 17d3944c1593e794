import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';
import type { AgentView } from '../model/agents.js';
import type { Services } from '../model/ports.js';
import type { AdmissionCounts } from './admission.js';
import type { ApiApp } from './type-provider.js';
import { problems, readProblems, words } from './operation.js';

/** The only file that knows the metrics library: what Prometheus sees of a controller. */
export function registerMetrics(app: ApiApp, services: Services, admission: () => AdmissionCounts): void {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  watchRequests(app, registry);
  watchEvents(app, services, registry);
  watchAdmission(admission, registry);
  watchJobs(services, registry);
  watchSessions(services, registry);
  const readServices = watchServices(services, registry);
  app.get(
    '/metrics',
    {
      schema: {
        ...words('Operation', 'getMetrics', 'Metrics', 'Metrics of this controller in the text format of Prometheus.'),
        response: {
          200: { description: 'Metrics.', content: { 'text/plain': { schema: { type: 'string' } } } },
          ...problems(...readProblems),
        },
      },
    },
    async (_, reply) => {
      await readServices();
      return reply.type(registry.contentType).send(await registry.metrics());
    },
  );
}

function watchRequests(app: ApiApp, registry: Registry): void {
  const duration = new Histogram({
    name: 'waymark_http_request_duration_seconds',
    help: 'Time to answer a request, by operation and status.',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10],
    registers: [registry],
  });
  app.addHook('onResponse', (request, reply, done) => {
    const route = request.routeOptions.url ?? 'none';
    duration.observe({ method: request.method, route, status: reply.statusCode }, reply.elapsedTime / 1000);
    done();
  });
}

function watchEvents(app: ApiApp, services: Services, registry: Registry): void {
  const events = new Counter({
    name: 'waymark_events_total',
    help: 'Events since the process started, by type.',
    labelNames: ['type'],
    registers: [registry],
  });
  app.addHook(
    'onClose',
    services.events.subscribe((event) => events.inc({ type: event.type })),
  );
}

/** Read when they are asked for. */
function watchAdmission(counts: () => AdmissionCounts, registry: Registry): void {
  const registers = [registry];
  new Gauge({
    name: 'waymark_http_requests_under_way',
    help: 'Requests that are being answered, streams of events apart.',
    registers,
    collect() {
      this.set(counts().requests);
    },
  });
  new Gauge({
    name: 'waymark_http_streams',
    help: 'Streams of events that are open.',
    registers,
    collect() {
      this.set(counts().streams);
    },
  });
  new Counter({
    name: 'waymark_http_refused_total',
    help: 'What was refused because too much was under way, by what it was: requests (and streams), or connections.',
    labelNames: ['what'],
    registers,
    collect() {
      this.reset();
      this.inc({ what: 'request' }, counts().refused);
      this.inc({ what: 'connection' }, counts().connectionsDropped);
    },
  });
}

/** Read when they are asked for: they are all in the memory of this process. */
function watchJobs({ jobs }: Services, registry: Registry): void {
  const registers = [registry];
  new Gauge({
    name: 'waymark_computation_jobs',
    help: 'Jobs that this controller holds, by kind and status.',
    labelNames: ['kind', 'status'],
    registers,
    collect() {
      this.reset();
      for (const { kind, status } of jobs.counts().held) this.inc({ kind, status });
    },
  });
  new Gauge({
    name: 'waymark_computation_job_bytes',
    help: 'What the requests and items of all jobs of this controller take, in bytes.',
    registers,
    collect() {
      this.set(jobs.counts().bytes);
    },
  });
  new Counter({
    name: 'waymark_computation_jobs_total',
    help: 'Jobs that ended since the process started, by kind and outcome.',
    labelNames: ['kind', 'outcome'],
    registers,
    collect() {
      this.reset();
      for (const { jobs: count, ...labels } of jobs.counts().finished) this.inc(labels, count);
    },
  });
  new Counter({
    name: 'waymark_computation_job_items_total',
    help: 'Answers that jobs computed since the process started, by kind.',
    labelNames: ['kind'],
    registers,
    collect() {
      this.reset();
      for (const { kind, items } of jobs.counts().computed) this.inc({ kind }, items);
    },
  });
}

function watchSessions({ sessions }: Services, registry: Registry): void {
  const registers = [registry];
  new Gauge({
    name: 'waymark_agent_sessions',
    help: 'Sessions of agents on this controller.',
    registers,
    collect() {
      this.set(sessions.counts().sessions);
    },
  });
  new Counter({
    name: 'waymark_agent_sessions_total',
    help: 'Sessions of agents that began on this controller since it started.',
    registers,
    collect() {
      this.reset();
      this.inc(sessions.counts().welcomed);
    },
  });
  new Counter({
    name: 'waymark_agent_refusals_total',
    help: 'What this controller refused agents since it started, by why: connection (too many), handshake (by TLS), a certificate that is nameless (of no node), ended or revoked, or trespass (speaking for another node).',
    labelNames: ['why'],
    registers,
    collect() {
      this.reset();
      for (const [why, refused] of Object.entries(sessions.counts().refused)) this.inc({ why }, refused);
    },
  });
  new Gauge({
    name: 'waymark_snapshots',
    help: 'Snapshots that agents have asked this controller for, by whether they are under way or wait.',
    labelNames: ['state'],
    registers,
    collect() {
      const { underWay, waiting } = sessions.counts().snapshots;
      this.set({ state: 'under-way' }, underWay);
      this.set({ state: 'waiting' }, waiting);
    },
  });
  new Counter({
    name: 'waymark_snapshots_total',
    help: 'Snapshots that agents asked for since this controller started: sent whole, unchanged (held already), or refused for now.',
    labelNames: ['outcome'],
    registers,
    collect() {
      const { sent, unchanged, refused } = sessions.counts().snapshots;
      this.reset();
      this.inc({ outcome: 'sent' }, sent);
      this.inc({ outcome: 'unchanged' }, unchanged);
      this.inc({ outcome: 'refused' }, refused);
    },
  });
  new Counter({
    name: 'waymark_snapshot_policies_total',
    help: 'SR policies in the snapshots that were sent since this controller started.',
    registers,
    collect() {
      this.reset();
      this.inc(sessions.counts().snapshots.policies);
    },
  });
}

/** The function it returns reads the services; what they cannot say while not ready keeps its last value. */
function watchServices(services: Services, registry: Registry): () => Promise<void> {
  const registers = [registry];
  const revision = new Gauge({ name: 'waymark_revision', help: 'Newest revision.', registers });
  const computed = new Gauge({
    name: 'waymark_computed_through_revision',
    help: 'Last revision whose consequences for SR policies were published.',
    registers,
  });
  const entities = new Gauge({
    name: 'waymark_topology_entities',
    help: 'Routers, hosts and directed links in the topology.',
    labelNames: ['kind'],
    registers,
  });
  const agents = new Gauge({
    name: 'waymark_agents',
    help: 'Node agents, by state.',
    labelNames: ['state'],
    registers,
  });
  const inSync = new Gauge({
    name: 'waymark_agents_in_sync',
    help: 'Agents whose data plane is as desired.',
    registers,
  });
  const policies = new Gauge({
    name: 'waymark_agent_policies',
    help: 'SR policies of all headends, by what their agent reported.',
    labelNames: ['install'],
    registers,
  });
  const withoutBindingSids = new Gauge({
    name: 'waymark_policies_without_bsids',
    help: 'SR policies that are not installed, because no binding SIDs are left for their headend.',
    registers,
  });
  const probed = new Gauge({
    name: 'waymark_probed_lists',
    help: 'Finished segment lists that headends probe, by role and by what the probes found.',
    labelNames: ['role', 'state'],
    registers,
  });
  const headendsOnStandby = new Gauge({
    name: 'waymark_headends_on_standby',
    help: 'Headends with an SR policy on its standby.',
    registers,
  });
  const policiesOnStandby = new Gauge({
    name: 'waymark_policies_on_standby',
    help: 'SR policies that use their standby, because none of their active lists delivers.',
    registers,
  });
  const held = new Gauge({ name: 'waymark_sources_held', help: 'Sources that wait for an operator.', registers });
  const isReady = new Gauge({ name: 'waymark_ready', help: '1 when the controller is ready to serve.', registers });
  const leads = new Gauge({ name: 'waymark_leader', help: '1 when this controller leads.', registers });
  const epoch = new Gauge({ name: 'waymark_leader_epoch', help: 'Newest epoch of leadership.', registers });
  const controllers = new Gauge({
    name: 'waymark_controllers',
    help: 'Controllers of the installation, by state.',
    labelNames: ['state'],
    registers,
  });
  const viewRevision = new Gauge({
    name: 'waymark_view_revision',
    help: 'Newest revision that the view of this controller shows.',
    registers,
  });
  const viewBehind = new Gauge({
    name: 'waymark_view_behind_seconds',
    help: 'Age of the oldest revision that the view of this controller does not show; 0: it shows all.',
    registers,
  });
  return async () => {
    leads.set(services.controllers.leads ? 1 : 0);
    const { ready } = await services.health();
    isReady.set(ready ? 1 : 0);
    if (!ready) return;
    const head = await services.topology.head();
    const installation = await services.controllers.controllers();
    epoch.set(installation.epoch);
    for (const state of ['leads', 'follows', 'silent'] as const) {
      controllers.set({ state }, installation.items.filter((controller) => controller.state === state).length);
    }
    const self = installation.items.find((controller) => controller.self);
    viewRevision.set(self?.revision ?? 0);
    viewBehind.set((self?.behindMs ?? 0) / 1_000);
    revision.set(head.revision);
    computed.set(head.computedThrough);
    entities.set({ kind: 'router' }, head.routers);
    entities.set({ kind: 'host' }, head.hosts);
    entities.set({ kind: 'link' }, head.links);
    const all = await everyPage((after) => services.agents.agents({}, { limit: 1000, ...after }));
    for (const state of ['connected', 'unknown'] as const) {
      agents.set({ state }, all.filter((agent) => agent.state === state).length);
    }
    inSync.set(all.filter((agent) => agent.inSync).length);
    for (const install of ['installed', 'simulated', 'pending', 'failed'] as const) {
      policies.set(
        { install },
        sum(all, (agent) => agent.policies[install]),
      );
    }
    withoutBindingSids.set(await services.policies.withoutBindingSids());
    const liveness = await services.policies.livenessCounts();
    for (const role of ['active', 'standby'] as const) {
      for (const state of ['up', 'down', 'unknown'] as const) probed.set({ role, state }, liveness[role][state]);
    }
    headendsOnStandby.set(liveness.headendsOnStandby);
    policiesOnStandby.set(liveness.policiesOnStandby);
    const sources = await everyPage((after) => services.topology.sources({}, { limit: 1000, ...after }));
    held.set(sources.filter((source) => source.held !== null).length);
  };
}

async function everyPage<Item>(
  read: (after: {
    readonly after?: string;
  }) => Promise<{ readonly items: readonly Item[]; readonly next: string | null }>,
): Promise<readonly Item[]> {
  const items: Item[] = [];
  let page = await read({});
  items.push(...page.items);
  while (page.next !== null) {
    page = await read({ after: page.next });
    items.push(...page.items);
  }
  return items;
}

function sum(agents: readonly AgentView[], value: (agent: AgentView) => number): number {
  return agents.reduce((total, agent) => total + value(agent), 0);
}
