// `node test/replay/record-cases.mjs [NAME...]`: records the cases of this folder anew, or those named, each by a real
// controller with its embedded PostgreSQL and real agents on the paper's testbed. Build first (`npm run build`).
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { apiVersion, customResourceDefinition, customResourceKinds } from '@waymark/kubernetes-resources';
import { calicoDefinitions, startApiServer } from '@waymark/kubernetes-stand-in';
import { DryRunDataPlane, NodeAgent } from '@waymark/node-agent';
import { pino } from 'pino';

const root = join(import.meta.dirname, '..', '..');
const testbed = readFileSync(join(root, 'examples', 'paper-testbed.yaml'), 'utf8');
/** How long a link that came back must stay. */
const holdMs = 300;
const log = pino({ level: 'silent' });

const dynamic = (metric, constraints = {}, more = {}) => ({
  candidatePaths: [{ discriminator: 1, preference: 100, path: { kind: 'dynamic', metric, constraints, ...more } }],
  fallback: 'shortest-path',
});
const isRefused = ({ status }) => status === 422;
const policy = (headend, color, endpoint, intent) => ({ headend, color, endpoint, ...intent });

const cases = {
  'policies-and-constraints': async (session) => {
    await session.importTestbed();
    await session.startAgents();
    await session.post('/v1/sr-policies', policy('worker1', 10, 'worker2', dynamic('delay')));
    await session.post('/v1/sr-policies', policy('worker1', 20, 'worker2', dynamic('igp')));
    await session.settled();
    await session.post('/v1/sr-policies', policy('worker1', 30, 'nowhere', dynamic('delay')), isRefused);
    await session.post('/v1/path-computations', {
      ...{ source: 'worker1', destination: 'worker2', metric: 'delay', constraints: {} },
    });
    await session.post('/v1/path-computations', {
      ...{ source: 'master', destination: 'worker2', metric: 'igp' },
      constraints: { bounds: [{ metric: 'delay', max: 9000 }] },
    });
    await session.post('/v1/dry-runs', {
      changes: [{ kind: 'link-state', link: 'R5:R6', state: 'down' }],
    });
    await session.edit('PUT', '/v1/links/R6:R7/constraints', { adminState: 'down' });
    await session.settled();
    await session.edit('DELETE', '/v1/links/R6:R7/constraints');
    await session.settled();
    await session.edit('POST', '/v1/sr-policies/worker1:10:worker2/pin');
    await session.settled();
    // BSIDs in quarantine are not given away
    await session.edit('DELETE', '/v1/sr-policies/worker1:20:worker2');
    await session.settled();
    await session.post('/v1/sr-policies', policy('worker1', 40, 'worker2', dynamic('te')));
    await session.post('/v1/api-keys', { name: 'monitoring', role: 'viewer' });
    await session.settled();
  },

  'failures-and-repair': async (session) => {
    await session.importTestbed();
    await session.startAgents();
    await session.post('/v1/sr-policies', policy('worker1', 10, 'worker2', dynamic('delay')));
    await session.post(
      '/v1/sr-policies',
      policy('worker2', 10, 'master', dynamic('delay', { exclude: { nodes: ['R6'] } })),
    );
    await session.settled();
    const link = (id, state) => ({ kind: 'link-state', link: id, state });
    await session.events(1, link('R5:R6', 'down'));
    await session.settled();
    await session.events(2, link('R2:R7', 'down'), link('R7:R2', 'down'));
    await session.settled();
    await session.events(3, link('R5:R6', 'up'), link('R2:R7', 'up'), link('R7:R2', 'up'));
    // Two hold times: what came back is used again after one.
    await sleep(2 * holdMs);
    await session.settled();
    // A storm
    for (let flap = 0; flap < 6; flap++) await session.events(4 + flap, link('R7:R8', flap % 2 === 0 ? 'down' : 'up'));
    await session.settled();
    await session.events(9, link('R7:R8', 'up'));
    await session.edit('PUT', '/v1/nodes/R7/constraints', { adminState: 'drained' });
    await session.settled();
  },

  'bandwidth-and-disjoint-paths': async (session) => {
    await session.importTestbed();
    await session.startAgents();
    const booked = (bps, more) => dynamic('delay', { bandwidthBps: bps }, more);
    await session.post('/v1/sr-policies', policy('worker1', 10, 'worker2', booked(6_000_000_000)));
    await session.post('/v1/sr-policies', policy('master', 10, 'worker2', booked(6_000_000_000)));
    await session.settled();
    // Two of three fit: one has to make room
    await session.post('/v1/sr-policies', {
      ...policy('worker1', 20, 'worker2', booked(7_000_000_000)),
      ...{ setupPriority: 1, holdPriority: 1 },
    });
    await session.settled();
    const standby = { standby: { disjoint: ['node', 'srlg'], mode: 'relaxed' } };
    await session.post('/v1/sr-policies', policy('worker2', 30, 'worker1', dynamic('delay', {}, standby)));
    await session.settled();
    await session.post('/v1/disjoint-path-computations', {
      members: ['worker1', 'master'].map((source) => ({ source, destination: 'worker2', constraints: {} })),
      ...{ metric: 'delay', disjoint: ['node'], mode: 'relaxed' },
    });
    await session.edit('DELETE', '/v1/sr-policies/worker1:20:worker2');
    await session.settled();
  },

  'mesh-and-restart': async (session) => {
    await session.importTestbed();
    await session.startAgents();
    await session.post('/v1/meshes', {
      ...{ id: 'all', color: 200, selector: { all: true }, template: dynamic('delay'), overrides: [] },
    });
    await session.settled();
    await session.restart();
    await session.settled();
    await session.events(1, { kind: 'link-state', link: 'R7:R8', state: 'down' });
    await session.settled();
    await session.edit('DELETE', '/v1/meshes/all');
    await session.settled();
  },

  'refused-by-the-data-plane': async (session) => {
    await session.importTestbed();
    let isBroken = true;
    const fail = ({ kind }) => (isBroken && kind === 'put-tunnel' ? 'no memory' : null);
    await session.startAgents({ worker1: fail });
    await session.post('/v1/sr-policies', policy('worker1', 10, 'worker2', dynamic('delay')));
    await session.post('/v1/sr-policies', policy('worker2', 10, 'worker1', dynamic('delay')));
    await session.settled();
    isBroken = false;
    await session.events(1, { kind: 'link-state', link: 'R5:R6', state: 'down' });
    await session.settled();
  },

  'clusters-and-objects': async (session) => {
    const cluster = await session.followCluster({ resources: true, configMaps: 'read', serviceClasses: true });
    await session.importTestbed();
    await session.startAgents();
    const names = ['master', 'worker1', 'worker2'];
    cluster.create({ apiVersion: calico, kind: 'IPPool', metadata: { name: 'pods' }, spec: { cidr: '10.40.0.0/16' } });
    for (const [i, name] of names.entries()) {
      cluster.create({ apiVersion: 'v1', kind: 'Node', metadata: { name } });
      const spec = { node: name, cidr: `10.40.${i}.0/24`, state: 'confirmed', deleted: 'false' };
      cluster.create({ apiVersion: calico, kind: 'BlockAffinity', metadata: { name: `${name}-block` }, spec });
    }
    await session.seen('/v1/nodes/worker2', (node) => JSON.stringify(node).includes('10.40.2.0/24'));
    const create = (kind, name, spec) => cluster.create({ apiVersion, kind, metadata: { name }, spec });
    const isAccepted = (kind, name, status) => {
      const object = cluster.find(apiVersion, kind, name);
      const told = object?.status?.conditions?.find(({ type }) => type === 'Accepted');
      return told?.status === status && told.observedGeneration === object.metadata.generation;
    };
    const pair = { headend: 'worker1', endpoint: 'worker2' };
    create('SRPolicy', 'fast', { ...pair, color: 10, profile: 'low-delay' });
    // Nothing of that name is there yet.
    await until(() => isAccepted('SRPolicy', 'fast', 'False'));
    create('PathProfile', 'low-delay', dynamic('delay'));
    create('PolicyMesh', 'all', { color: 200, selector: { all: true }, ...dynamic('igp') });
    create('SRPolicy', 'nowhere', { ...pair, color: 20, endpoint: 'nowhere', ...dynamic('delay') });
    await until(() => isAccepted('SRPolicy', 'fast', 'True') && isAccepted('PolicyMesh', 'all', 'True'));
    await until(() => isAccepted('SRPolicy', 'nowhere', 'False'));
    await session.settled();
    cluster.create({
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: 'shop', labels: { 'waymark.dev/color': '10' } },
    });
    cluster.create({
      ...{ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web', namespace: 'shop' } },
      ...{ spec: { nodeName: 'worker1' }, status: { phase: 'Running', podIPs: [{ ip: '10.40.1.7' }] } },
    });
    await session.seen('/v1/service-classes', ({ items }) => items.length > 0);
    await session.settled();
    create('LinkConstraint', 'drained', { links: ['R5:R6', 'R6:R5'], constraints: { adminState: 'drained' } });
    await until(() => isAccepted('LinkConstraint', 'drained', 'True'));
    await session.settled();
    const config = (sids) =>
      `{node: worker1, policies: [{bsid: "cafe::1", node: "fd20:8:3::2", traffic: IPv6, segment_list: ${JSON.stringify(sids)}}]}`;
    const namespace = 'calico-vpp-dataplane';
    cluster.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
    cluster.create({
      ...{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'srv6-config-worker1', namespace } },
      data: { srv6: config(['fcff:7::1', 'fcdd:0:3::6']) },
    });
    await session.seen('/v1/sr-policies', ({ items }) => items.some(({ id }) => id === 'worker1:1001:worker2'));
    await session.settled();
    // Another prefix in the place of one that was there
    cluster.replace({
      ...{ apiVersion: calico, kind: 'BlockAffinity', metadata: { name: 'worker2-block' } },
      spec: { node: 'worker2', cidr: '10.40.9.0/24', state: 'confirmed', deleted: 'false' },
    });
    await session.seen('/v1/nodes/worker2', (node) => JSON.stringify(node).includes('10.40.9.0/24'));
    await session.settled();
    cluster.delete(apiVersion, 'SRPolicy', 'fast');
    cluster.delete(apiVersion, 'LinkConstraint', 'drained');
    const isGone = (kind, name) => cluster.find(apiVersion, kind, name) === undefined;
    await until(() => isGone('SRPolicy', 'fast') && isGone('LinkConstraint', 'drained'));
    await session.settled();
  },
};

const calico = 'crd.projectcalico.org/v1';

/** A controller that records, agents, and an operator. */
class Session {
  #folder = mkdtempSync(join(tmpdir(), 'waymark-record-'));
  #file;
  #controller;
  #url;
  #grpcPort;
  #agents = new Map();
  #cluster;
  #settings = {};

  constructor(file) {
    this.#file = file;
    // PostgreSQL runs under another account where this one is root.
    chmodSync(this.#folder, 0o755);
  }

  static async start(file) {
    const session = new Session(file);
    await session.#startController();
    return session;
  }

  async #startController() {
    this.#controller = spawn(process.execPath, [join(root, 'apps/controller/dist/main.js')], {
      env: {
        PATH: process.env.PATH,
        WAYMARK_NAME: 'recorded',
        WAYMARK_HTTP_PORT: '0',
        WAYMARK_GRPC_PORT: String((this.#grpcPort ??= await freePort())),
        WAYMARK_DATA_DIR: this.#folder,
        WAYMARK_DEMO: 'off',
        WAYMARK_HOLD_MS: String(holdMs),
        WAYMARK_WORKERS: '2',
        WAYMARK_LOG_LEVEL: 'warn',
        WAYMARK_RECORD_FILE: this.#file,
        ...this.#settings,
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    for await (const chunk of this.#controller.stdout.setEncoding('utf8').iterator({ destroyOnReturn: false })) {
      output += chunk;
      [, this.#url] = /^API: (\S+)$/m.exec(output) ?? [];
      if (this.#url !== undefined) break;
    }
    if (this.#url === undefined) throw new Error(`the controller did not start: ${output}`);
    this.#controller.stdout.resume();
  }

  async restart() {
    await this.#stopController();
    await this.#startController();
  }

  async #stopController() {
    const ended = once(this.#controller, 'exit');
    this.#controller.kill('SIGTERM');
    await ended;
    this.#url = undefined;
  }

  async stop() {
    for (const agent of this.#agents.values()) await agent.stop();
    await this.#stopController();
    await this.#cluster?.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async startAgents(failing = {}) {
    for (const nodeId of ['master', 'worker1', 'worker2']) {
      const fail = failing[nodeId];
      const agent = new NodeAgent({
        ...{ nodeId, controllers: [`127.0.0.1:${this.#grpcPort}`], bus: null, localSids: [], log },
        dataPlane: new DryRunDataPlane({ log, encapMode: 'reduced', msdHEncaps: 0, ...(fail && { fail }) }),
        stateDirectory: join(this.#folder, nodeId),
        rereadIntervalMs: 60_000,
      });
      this.#agents.set(nodeId, agent);
      await agent.start();
    }
    await this.settled();
  }

  /** Starts the controller again, with a cluster to follow. Returns its API server. */
  async followCluster(what) {
    const definitions = [...calicoDefinitions, ...customResourceKinds.map(customResourceDefinition)];
    this.#cluster = await startApiServer({ definitions });
    const kubeconfig = join(this.#folder, 'kubeconfig');
    writeFileSync(kubeconfig, this.#cluster.kubeconfig);
    const file = join(this.#folder, 'clusters.json');
    const clusters = [{ name: 'testbed', kubeconfig, ...what }];
    writeFileSync(file, JSON.stringify({ clusters, prefixGraceSeconds: 0 }));
    this.#settings = { WAYMARK_KUBERNETES: file };
    await this.restart();
    return this.#cluster;
  }

  async importTestbed() {
    const headers = { 'content-type': 'application/yaml' };
    const response = await this.#fetch('POST', '/v1/topology/imports?source=testbed&format=native', headers, testbed);
    if (response.status !== 200) throw new Error(await response.text());
  }

  events(sequence, ...events) {
    return this.post('/v1/sources/igp/events', { sequence, full: false, events });
  }

  async post(path, body, isExpected = ({ ok }) => ok) {
    const response = await this.#fetch('POST', path, { 'content-type': 'application/json' }, JSON.stringify(body));
    if (!isExpected(response)) throw new Error(`POST ${path}: ${await response.text()}`);
  }

  /** Changes what is there. */
  async edit(method, path, body) {
    const etag = (await this.#fetch('GET', path.replace(/\/pin$/, ''))).headers.get('etag');
    const headers = { 'if-match': etag, ...(body && { 'content-type': 'application/json' }) };
    const response = await this.#fetch(method, path, headers, body && JSON.stringify(body));
    if (!response.ok) throw new Error(`${method} ${path}: ${await response.text()}`);
  }

  async #fetch(method, path, headers, body) {
    const response = await fetch(this.#url + path, { method, headers, body });
    if (response.status >= 500) throw new Error(`${method} ${path}: ${await response.text()}`);
    return response;
  }

  seen(path, isThere) {
    return until(async () => {
      const response = await this.#fetch('GET', path);
      return response.ok && isThere(await response.json());
    });
  }

  /** Until all that was changed is computed, and every agent has acknowledged it, twice in a row. */
  async settled() {
    const read = async (path) => (await this.#fetch('GET', path)).json();
    for (let quiet = 0, tries = 0; quiet < 2; tries++) {
      if (tries > 600) throw new Error('it does not settle');
      const { revision, computedThrough } = await read('/v1/topology');
      const { items } = await read('/v1/agents?state=connected');
      const isTaken = items.every(({ accepted, desired, policies }) => {
        return accepted.generation === desired.generation && policies.pending === 0;
      });
      const isQuiet = revision === computedThrough && items.length === this.#agents.size && isTaken;
      quiet = isQuiet ? quiet + 1 : 0;
      await sleep(100);
    }
  }
}

async function until(isSo) {
  for (let tries = 0; !(await isSo()); tries++) {
    if (tries > 1_200) throw new Error(`it does not come about: ${isSo}`);
    await sleep(100);
  }
}

async function freePort() {
  const { createServer } = await import('node:net');
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

const asked = process.argv.slice(2);
for (const name of asked.length > 0 ? asked : Object.keys(cases)) {
  const file = join(import.meta.dirname, 'cases', `${name}.jsonl`);
  rmSync(file, { force: true });
  const session = await Session.start(file);
  try {
    await cases[name](session);
  } finally {
    await session.stop();
  }
  process.stdout.write(`recorded ${name}\n`);
}
