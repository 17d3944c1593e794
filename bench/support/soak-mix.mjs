import { connect } from 'node:net';
import { plainPolicy } from './ring-of-hosts.mjs';

/**
 * With every tick a few of everything. Whatever is made is taken away again, so nothing has a reason to grow. Of the policies that
 * come and go every other one is of the node `deltasTo`.
 */
export function soakMix({ controller, fleet, nodes, links, deltasTo, random }) {
  const counts = new Map();
  const statuses = new Map();
  const streams = [];
  const policies = [];
  const down = new Set();
  let sequence = 0;
  let ticks = 0;
  const below = (limit) => Math.floor(random() * limit);
  const any = (list) => list[below(list.length)];
  const count = (name) => counts.set(name, 1 + (counts.get(name) ?? 0));

  async function request(name, method, path, body, { headers = {}, signal } = {}) {
    count(name);
    const answer = await fetch(controller.url + path, {
      method,
      headers: { ...controller.headers, ...(body && { 'content-type': 'application/json' }), ...headers },
      ...(body && { body: JSON.stringify(body) }),
      signal: signal ?? AbortSignal.timeout(60_000),
    });
    const text = await answer.text();
    statuses.set(answer.status, 1 + (statuses.get(answer.status) ?? 0));
    if (answer.status >= 500 && answer.status !== 503) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return { status: answer.status, text };
  }

  const aPath = () => ({ source: any(nodes), destination: any(nodes), metric: 'delay', constraints: {} });
  const changed = { headers: { 'if-match': '*' } };

  async function compute() {
    await request('computations', 'POST', '/v1/path-computations', aPath());
  }
  async function constrain() {
    const path = `/v1/links/${encodeURIComponent(any(links))}/constraints`;
    await request('constraints', 'PATCH', path, { teMetric: 1 + below(100) }, changed);
  }
  async function linkEvent() {
    const link = down.size > 2 ? [...down][0] : any(links);
    const state = down.delete(link) ? 'up' : 'down';
    if (state === 'down') down.add(link);
    const events = [{ kind: 'link-state', link, state }];
    await request('link events', 'POST', '/v1/sources/igp/events', { sequence: ++sequence, full: false, events });
  }
  async function policy() {
    if (policies.length > 20) {
      const id = policies.shift();
      await request('policies', 'DELETE', `/v1/sr-policies/${encodeURIComponent(id)}`, undefined, changed);
    }
    const headend = random() < 0.5 ? deltasTo : any(nodes);
    const endpoint = any(nodes.filter((node) => node !== headend));
    const color = 2 + below(50);
    const { status } = await request('policies', 'POST', '/v1/sr-policies', plainPolicy(color, headend, endpoint));
    if (status === 201) policies.push(`${headend}:${color}:${endpoint}`);
  }
  async function batch() {
    const id = `soak-${ticks}`;
    await request('batches', 'POST', '/v1/path-computation-batches', {
      kind: 'requests',
      id,
      requests: Array.from({ length: 10 }, aPath),
    });
    await request('batches', 'DELETE', `/v1/path-computation-batches/${id}`);
  }
  async function stream() {
    if (streams.length >= 6) streams.splice(below(streams.length), 1)[0].destroy();
    const { hostname, port } = new URL(controller.url);
    const socket = connect(Number(port), hostname);
    socket.on('error', () => undefined);
    socket.write(
      `GET /v1/events HTTP/1.1\r\nHost: ${hostname}:${port}\r\nAuthorization: ${controller.headers.authorization}\r\n\r\n`,
    );
    // every third reads nothing
    if (ticks % 3 === 0) socket.pause();
    else socket.resume();
    streams.push(socket);
    count('streams');
  }
  async function reconnect() {
    const node = any(nodes.filter((one) => one !== deltasTo));
    await fleet.stop([node], random() < 0.3);
    await fleet.start([node]);
    count('agents reconnected');
  }
  async function key() {
    const name = `soak-${ticks}`;
    const { text } = await request('keys', 'POST', '/v1/api-keys', { name, role: 'viewer' });
    const { secret } = JSON.parse(text);
    await request('keys', 'GET', '/v1/nodes?limit=1', undefined, { headers: { authorization: `Bearer ${secret}` } });
    await request('wrong keys', 'GET', '/v1/nodes', undefined, { headers: { authorization: `Bearer ${secret}x` } });
    await request('keys', 'DELETE', `/v1/api-keys/${name}`);
  }
  async function giveUp() {
    const signal = AbortSignal.timeout(1 + below(10));
    await request('given up', 'POST', '/v1/path-computations', aPath(), { signal }).catch((error) => {
      if (error.name !== 'TimeoutError') throw error;
    });
  }
  const bad = () => request('bad requests', 'POST', '/v1/path-computations', { ...aPath(), metric: 'beauty' });
  const read = () => request('reads', 'GET', any(['/v1/sr-policies?limit=100', '/v1/agents', '/metrics', '/v1/audit']));

  return {
    counts,
    statuses,
    total: () => [...counts.values()].reduce((sum, one) => sum + one, 0),
    async tick() {
      ticks += 1;
      const work = [compute(), compute(), compute(), constrain(), read(), giveUp(), bad()];
      if (ticks % 2 === 0) work.push(policy(), reconnect());
      if (ticks % 3 === 0) work.push(linkEvent());
      if (ticks % 4 === 0) work.push(stream());
      if (ticks % 10 === 0) work.push(batch(), key());
      await Promise.all(work);
    },
    stop() {
      for (const socket of streams) socket.destroy();
    },
  };
}
