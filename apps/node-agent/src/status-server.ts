import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { Gauge, Registry } from 'prom-client';
import { registerCounterMetrics } from './counters/counter-metrics.js';
import type { LivenessStatus } from './liveness/path-liveness.js';
import type { NodeAgentStatus } from './node-agent.js';
import type { OutcomeCounts } from './reconcile/policy-reconciler.js';

/**
 * Tells how the agent fares, on loopback only: `/healthz` (503 while the data plane does not work), `/status` and
 * `/metrics`. A controller that is out of reach is not ill health: the data plane keeps forwarding.
 */
export class StatusServer {
  readonly #server: Server;
  readonly #status: () => NodeAgentStatus;
  readonly #metrics: Registry;
  /** What all metrics of one scrape are taken from. */
  #scraped: NodeAgentStatus;

  constructor(status: () => NodeAgentStatus) {
    this.#status = status;
    this.#scraped = status();
    this.#metrics = metricsOf(() => this.#scraped);
    this.#server = createServer((request, response) => {
      // who asks must not be able to end the agent, whatever goes wrong
      const failed = (error: unknown) => json(500, { error: error instanceof Error ? error.message : String(error) });
      void this.#answer(request.url ?? '')
        .catch(failed)
        .then(({ code, type, body }) => {
          response.writeHead(code, { 'content-type': type }).end(body);
        });
    });
  }

  /** @param port 0 = any. Returns the port; rejects when it is taken. */
  async listen(port: number): Promise<number> {
    this.#server.listen(port, '127.0.0.1');
    await once(this.#server, 'listening');
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : port;
  }

  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  async #answer(url: string): Promise<{ readonly code: number; readonly type: string; readonly body: string }> {
    switch (url.split('?')[0]) {
      case '/healthz': {
        const { error } = this.#status().health;
        return error === null ? json(200, { status: 'ok' }) : json(503, { status: 'failed', error });
      }
      case '/status':
        return json(200, this.#status());
      case '/metrics':
        this.#scraped = this.#status();
        return { code: 200, type: this.#metrics.contentType, body: await this.#metrics.metrics() };
      default:
        return json(404, { error: 'there are /healthz, /status and /metrics' });
    }
  }
}

function json(code: number, body: object) {
  const text = JSON.stringify(body, (_, value: unknown) =>
    value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value,
  );
  return { code, type: 'application/json', body: `${text}\n` };
}

function metricsOf(status: () => NodeAgentStatus): Registry {
  const registry = new Registry();
  const gauge = (name: string, help: string, value: (status: NodeAgentStatus) => number) => {
    new Gauge({
      name: `waymark_agent_${name}`,
      help,
      registers: [registry],
      collect() {
        this.set(value(status()));
      },
    });
  };
  gauge('connected', '1 while a session with a controller is up', ({ session }) => Number(session.connected));
  gauge('generation', 'Generation of the desired state that was accepted', ({ session }) => session.generation);
  gauge('dataplane_healthy', '1 while the data plane works', ({ health }) => Number(health.error === null));
  gauge('drift_repairs', 'Repairs of drift since the start', ({ health }) => health.driftRepairs);
  gauge('reconcile_rounds', 'Reconciliations since the start', ({ reconciler }) => reconciler.rounds);
  gauge('reconcile_steps', 'Changes of the data plane since the start', ({ reconciler }) => reconciler.steps);
  gauge('bad_messages', 'Messages that were refused since the start', ({ session }) => session.badMessages);
  gauge('snapshot_requests', 'Snapshots asked for since the start', ({ session }) => session.snapshotRequests);
  const outcomes = (name: string, what: string, counts: (status: NodeAgentStatus) => OutcomeCounts) => {
    new Gauge({
      name: `waymark_agent_${name}`,
      help: `${what} by their last outcome`,
      labelNames: ['outcome'],
      registers: [registry],
      collect() {
        for (const [outcome, count] of Object.entries(counts(status()))) this.set({ outcome }, count);
      },
    });
  };
  outcomes('policies', 'SR policies', ({ reconciler }) => reconciler.policies);
  outcomes('service_classes', 'Service classes', ({ reconciler }) => reconciler.serviceClasses);
  registerCounterMetrics(registry, () => status().counters);
  addLivenessMetrics(registry, () => status().liveness);
  return registry;
}

/** Without probing there are none of these. Per list they are in `/status`: there may be thousands. */
function addLivenessMetrics(registry: Registry, liveness: () => LivenessStatus | null): void {
  const gauge = (name: string, help: string, value: (status: LivenessStatus) => number) => {
    new Gauge({
      name: `waymark_agent_${name}`,
      help,
      registers: [registry],
      collect() {
        const status = liveness();
        if (status === null) this.remove();
        else this.set(value(status));
      },
    });
  };
  new Gauge({
    name: 'waymark_agent_segment_lists',
    help: 'Segment lists that are probed, by what their probes say',
    labelNames: ['state'],
    registers: [registry],
    collect() {
      for (const [state, count] of Object.entries(liveness()?.lists ?? {})) this.set({ state }, count);
    },
  });
  gauge('tunnels_on_standby', 'Tunnels that use their standby lists', ({ tunnelsOnStandby }) => tunnelsOnStandby);
  gauge('probes_sent', 'Probes sent since the start', ({ probes }) => probes.sent);
  gauge('probes_lost', 'Probes that did not come back in time since the start', ({ probes }) => probes.lost);
  gauge('probe_round_trips', 'Probes that came back in time since the start', ({ probes }) => probes.answered);
  gauge('probe_round_trip_microseconds', 'Their round trips, added up', ({ probes }) => probes.roundTripUs);
  gauge('probe_round_trip_max_microseconds', 'Longest of the last round trips', ({ roundTripMaxUs }) => roundTripMaxUs);
  gauge('probe_interval_seconds', 'Between two probes of a list', ({ intervalMs }) => intervalMs / 1_000);
}
