/**
 * The client of VPP's binary API and the VPP driver of the node agent, against the stand-in in a process of its own and,
 * when VPP_API_SOCKET names the socket of one, against a real VPP:
 *
 *   npx tsc -b && node bench/vpp.mjs [--policies 10000] [--runs 3]
 *
 * First SR policies through the bare client, one call at a time and pipelined. Then the driver under the reconciler, with a
 * steered prefix and a list of three SIDs for each policy: everything from nothing, a reconciliation that finds it all
 * unchanged, every list replaced, everything withdrawn. In a real VPP it touches one FIB table of its own and the policies of
 * its own block, and leaves neither behind.
 */
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { encodeDesiredPolicy, Family, TunnelAction } from '@waymark/agent-protocol';
import { VppConnection } from '@waymark/vpp-api';
import { VppDataPlane } from '../apps/node-agent/dist/dataplane/vpp/vpp-data-plane.js';
import { VppLink } from '../apps/node-agent/dist/dataplane/vpp/vpp-link.js';
import { PolicyReconciler } from '../apps/node-agent/dist/reconcile/policy-reconciler.js';
import { quantile } from './support/quantile.mjs';

const { values: given } = parseArgs({
  options: { policies: { type: 'string', default: '10000' }, runs: { type: 'string', default: '3' } },
});
const policies = Number(given.policies);
const runs = Number(given.runs);
const TABLE = 7_778;
const BLOCK = [0xfd, 0xfe];
const SOURCE = 'fd00:7e57::1';
const STAND_IN = fileURLToPath(new URL('../packages/vpp-stand-in/dist/main.js', import.meta.url));

const print = (text) => process.stdout.write(`${text}\n`);
const median = (values) => quantile(values, 0.5);
const range = (count) => Array.from({ length: count }, (_, index) => index);
const hex = (bytes) => Buffer.from(bytes).toString('hex');
const text = (bytes) =>
  hex(bytes)
    .match(/.{4}/g)
    .map((group) => group.replace(/^0{1,3}/, ''))
    .join(':');

/** An address: two bytes, then a kind, then a number. */
function address([a, b], kind, number) {
  const bytes = Buffer.alloc(16);
  bytes.set([a, b, kind, 1]);
  bytes.writeUInt32BE(number, 10);
  bytes[15] = 1;
  return bytes;
}

/** Wall and CPU time (of this process only) in milliseconds. */
async function timed(work) {
  const cpu = process.cpuUsage();
  const start = performance.now();
  await work();
  const { user, system } = process.cpuUsage(cpu);
  return { wall: performance.now() - start, cpu: (user + system) / 1_000 };
}

async function startStandIn(folder) {
  const socket = join(folder, 'api.sock');
  const args = [STAND_IN, '--socket', socket, '--table', `ipv4:${TABLE}`, '--table', `ipv6:${TABLE}`];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  process.once('exit', () => child.kill('SIGKILL'));
  await new Promise((resolve, reject) => {
    child.stdout.once('data', resolve);
    child.once('exit', (code) => reject(new Error(`the stand-in ended with ${code}`)));
  });
  return { socket, stop: () => child.kill('SIGTERM') };
}

/** Adds and deletes SR policies of one list: `count` in all. */
async function measureClient(vpp, count) {
  const sids = range(3).map((kind) => text(address([0xfc, 0], kind, 1)));
  const bsids = range(count).map((index) => text(address(BLOCK, 0xff, index)));
  const add = (bsid) =>
    vpp.call('sr_policy_add_v2', {
      bsid_addr: bsid,
      weight: 1,
      is_encap: true,
      type: 'SR_API_POLICY_TYPE_DEFAULT',
      fib_table: 0,
      sids: { num_sids: sids.length, weight: 1, sids },
      encap_src: SOURCE,
    });
  const remove = (bsid) => vpp.call('sr_policy_del', { bsid_addr: bsid, sr_policy_index: 0xffffffff });
  const serially = async (work) => {
    for (const bsid of bsids) await work(bsid);
  };
  const together = (work) => Promise.all(bsids.map(work));
  const result = { serial: await timed(() => serially(add)) };
  await together(remove);
  result.pipelined = await timed(() => together(add));
  result.dump = await timed(async () => {
    const { length } = await vpp.dump('sr_policies_v2_dump', {});
    if (length < count) throw new Error(`only ${length} of ${count} SR policies were dumped`);
  });
  await together(remove);
  return result;
}

/** The desired state: `round` decides about the middle SID of every list. */
function desiredState(round) {
  const entries = range(policies).map((index) => {
    const policyId = `h1:10:e${index}`;
    const tunnel = {
      family: Family.IPV4,
      action: TunnelAction.ENCAPSULATE,
      bsid: address(BLOCK, 0, index),
      alternateBsid: address(BLOCK, 1, index),
      segmentLists: [
        {
          weight: 1,
          sids: [address([0xfc, 0], 1, index), address([0xfc, 0], 2, round), address([0xfc, 0], 3, index)],
          way: 0,
        },
      ],
      standbyLists: [],
      steeredPrefixes: [
        { family: Family.IPV4, address: Uint8Array.of(10, index >> 16, (index >> 8) & 255, index & 255), length: 32 },
      ],
      classPrefixes: [],
    };
    const body = encodeDesiredPolicy({
      policyId,
      color: 10,
      endpoint: address([0xfd, 0], 0, index),
      tunnels: [tunnel],
      usesPlannedSids: false,
    });
    return [policyId, { generation: round, body }];
  });
  return { epoch: 1, generation: round, policies: new Map(entries) };
}

/** The driver as the agent uses it; counts what it writes. */
class CountingLink extends VppLink {
  writes = 0;
  #seen;

  async open() {
    const vpp = await super.open();
    if (this.#seen?.vpp !== vpp) {
      const call = (request, values, options) => {
        if (request !== 'ip_route_lookup') this.writes += 1;
        return vpp.call(request, values, options);
      };
      this.#seen = { vpp, counting: { call, dump: (request, values) => vpp.dump(request, values) } };
    }
    return this.#seen.counting;
  }
}

async function measureDriver(socketPath) {
  const link = new CountingLink(socketPath);
  const settings = {
    socketPath,
    encapSource: SOURCE,
    bsidBlock: 'fdfe::/16',
    table: TABLE,
    besideCalico: false,
    msd: 5,
    localSids: [],
    localSidBlock: null,
    decapTable: 0,
    probe: null,
    edgeBlocks: [],
    localSidCountersIntervalMs: 0,
  };
  const dataPlane = new VppDataPlane(settings, link);
  const log = { info: () => undefined, warn: () => undefined, error: (_, message) => print(message) };
  const reconciler = new PolicyReconciler({
    dataPlane,
    localSids: [],
    rereadIntervalMs: 3_600_000,
    liveness: null,
    wakeDelayMs: 0,
    log,
  });
  const phase = async (state) => {
    const before = link.writes;
    const time = await timed(async () => {
      if (state !== null) reconciler.setDesired(state, 'all');
      await reconciler.reconcile();
    });
    const wanted = state?.policies.size ?? policies;
    const { installed, failed } = reconciler.counts.policies;
    if (failed > 0 || installed !== wanted) throw new Error(`${installed} of ${wanted} installed, ${failed} failed`);
    return { ...time, writes: link.writes - before };
  };
  try {
    const result = {};
    const [first, second] = [desiredState(1), desiredState(2)];
    await phase({ epoch: 1, generation: 0, policies: new Map() });
    result.install = await phase(first);
    result.unchanged = await phase(null);
    result.replace = await phase(second);
    result.withdraw = await phase({ epoch: 1, generation: 3, policies: new Map() });
    await dataPlane.dismantle();
    return result;
  } finally {
    await reconciler.stop();
    dataPlane.close();
  }
}

async function setTable(vpp, isAdd) {
  for (const is_ip6 of [false, true]) {
    await vpp.call('ip_table_add_del', { is_add: isAdd, table: { table_id: TABLE, is_ip6, name: 'waymark-bench' } });
  }
}

async function measure(what, socketPath) {
  const vpp = await VppConnection.open({ socketPath });
  try {
    const { version } = await vpp.call('show_version', {});
    await setTable(vpp, true);
    await measureClient(vpp, Math.min(policies, 1_000));
    const client = [];
    const driver = [];
    for (let run = 0; run < runs; run++) {
      client.push(await measureClient(vpp, policies));
      driver.push(await measureDriver(socketPath));
    }
    await setTable(vpp, false);
    report(`${what} (${version})`, client, driver);
  } finally {
    vpp.close();
  }
}

function report(what, client, driver) {
  print(`\n${what}, ${policies} SR policies, medians of ${runs}`);
  const header = ['wall ms', 'per second', 'client CPU µs each', 'ratio'];
  print(`  ${'bare client'.padEnd(42)}${header.map((title) => title.padStart(20)).join('')}`);
  const wallOf = (results, phase) => median(results.map((result) => result[phase].wall));
  const cpuOf = (results, phase) => median(results.map((result) => result[phase].cpu));
  const line = (title, results, phase, base, more) => {
    const wall = wallOf(results, phase);
    const cells = [
      wall.toFixed(0),
      ((policies / wall) * 1_000).toFixed(0),
      ((cpuOf(results, phase) / policies) * 1_000).toFixed(1),
      base === phase ? '1' : (wallOf(results, base) / wall).toFixed(2),
      ...more,
    ];
    print(`  ${title.padEnd(42)}${cells.map((cell) => cell.padStart(20)).join('')}`);
  };
  line('add, one call at a time', client, 'serial', 'serial', []);
  line('add, pipelined', client, 'pipelined', 'serial', []);
  line('dump them', client, 'dump', 'serial', []);
  print(`  ${'driver and reconciler'.padEnd(42)}${[...header, 'writes'].map((title) => title.padStart(20)).join('')}`);
  const writes = (phase) => [String(median(driver.map((result) => result[phase].writes)))];
  line('install all, steering included', driver, 'install', 'install', writes('install'));
  line('reconcile, nothing changed', driver, 'unchanged', 'install', writes('unchanged'));
  line('replace every list', driver, 'replace', 'install', writes('replace'));
  line('withdraw all', driver, 'withdraw', 'install', writes('withdraw'));
}

const folder = await mkdtemp(join(tmpdir(), 'waymark-bench-'));
try {
  const standIn = await startStandIn(folder);
  await measure('stand-in', standIn.socket);
  standIn.stop();
  const real = process.env.VPP_API_SOCKET;
  if (real !== undefined) await measure('VPP', real);
} finally {
  await rm(folder, { recursive: true, force: true });
}
