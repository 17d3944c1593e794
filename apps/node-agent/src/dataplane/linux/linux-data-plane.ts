import type {
  ActualState,
  Capabilities,
  DataPlane,
  Family,
  Reading,
  Step,
  StepFailure,
  Stray,
  Tunnel,
} from '../port.js';
import { inPrefix } from '../address.js';
import { DataPlaneError } from '../port.js';
import { srhEntries } from '../segment-lists.js';
import { parseBatchErrors } from './batch.js';
import { readLinuxCounters } from './counters.js';
import { Edge } from './edge.js';
import { Foundation } from './foundation.js';
import { MAX_SIDS, objectionOf } from './limits.js';
import { isReturnRoute } from './probe-rules.js';
import { describeRoute, interpretRoute, parseRoutes, probeRouteOf, type KernelRoute } from './route-json.js';
import { linesOf, type BatchLine } from './route-lines.js';
import type { LinuxSettings } from './settings.js';
import type { Shell } from './shell.js';
import { groupSteerings, type Steering } from './steerings.js';

/** How long to wait before `ip monitor` is started again after it ended. */
const MONITOR_PAUSE_MS = 5_000;

const FAMILY_FLAG = { ipv4: '-4', ipv6: '-6' } as const;

/**
 * SRv6 in the Linux kernel through iproute2: a steered prefix is one route whose nexthops encapsulate (`encap seg6`) or
 * that discards (`blackhole`). Replacing it loses no packet. The kernel needs no binding SID for that, so none is
 * installed; all of a tunnel is in its routes.
 */
export class LinuxDataPlane implements DataPlane {
  readonly capabilities: Capabilities;
  readonly #settings: LinuxSettings;
  readonly #shell: Shell;
  readonly #foundation: Foundation;
  readonly #edge: Edge;

  constructor(settings: LinuxSettings, shell: Shell) {
    this.#settings = settings;
    this.#shell = shell;
    this.#foundation = new Foundation(settings, shell);
    this.#edge = new Edge(settings, shell);
    const { encapMode, probePrefix } = settings;
    const msdHEncaps = srhEntries(MAX_SIDS, encapMode);
    this.capabilities = { name: 'linux', real: true, msdHEncaps, encapMode, bindingSids: false, probePrefix };
  }

  async prepare(): Promise<readonly string[]> {
    // The edge first: a node that cannot steer is protected all the same.
    await this.#edge.lay();
    await this.#foundation.lay();
    return [];
  }

  close(): void {
    // Every command is a process of its own.
  }

  async dismantle(): Promise<void> {
    await this.#foundation.remove();
    await this.#edge.remove();
  }

  objection(tunnel: Tunnel): string | null {
    return objectionOf(tunnel);
  }

  objectionToClass(color: number): string {
    return `no table for class ${color}`;
  }

  async read(): Promise<ActualState> {
    const [v4, v6] = await Promise.all([this.#readFamily('ipv4'), this.#readFamily('ipv6')]);
    return {
      tunnels: groupSteerings([...v4.steerings, ...v6.steerings]),
      localSids: v6.localSids,
      probeRoutes: v6.probeRoutes,
      classSources: [],
      strays: [...v4.strays, ...v6.strays],
      obstacles: new Map([...v4.obstacles, ...v6.obstacles]),
      classObstacles: new Map(),
    };
  }

  async apply(steps: readonly Step[]): Promise<readonly StepFailure[]> {
    const lines = steps.flatMap((step) => linesOf(step, this.#settings));
    const failures = [
      ...(await this.#runBatch(lines.filter(({ family }) => family === 'ipv4'))),
      ...(await this.#runBatch(lines.filter(({ family }) => family === 'ipv6'))),
    ];
    return failures;
  }

  readCounters(): Promise<Reading> {
    return readLinuxCounters(this.#settings, this.#shell, this.#edge);
  }

  /** `ip monitor` prints text and misses some deletions: it says when to look, never what is there. */
  watch(wake: () => void): () => void {
    let stopped = false;
    let pause: NodeJS.Timeout | undefined;
    let stop: () => void = () => undefined;
    const start = () => {
      stop = this.#shell.follow('ip', ['monitor', 'route', 'nexthop', 'link', 'rule'], wake, () => {
        if (!stopped) pause = setTimeout(start, MONITOR_PAUSE_MS);
      });
    };
    start();
    return () => {
      stopped = true;
      clearTimeout(pause);
      stop();
    };
  }

  async #readFamily(family: Family) {
    const { table, metric, protocol } = this.#settings;
    const [inTable, marked] = await Promise.all([
      this.#routes(family, ['table', String(table)]),
      this.#routes(family, ['table', 'all', 'proto', String(protocol)]),
    ]);
    const isOurs = (route: KernelRoute) => route.protocol === protocol && route.metric === metric;
    const isProbeRoute = (route: KernelRoute) => holdsProbes(route, this.#settings);
    const ours = inTable.filter(isOurs).map((route) => interpretRoute(route, this.#settings));
    return {
      steerings: ours.flatMap((route): Steering[] => (route.kind === 'steering' ? [{ family, ...route }] : [])),
      localSids: ours.flatMap((route) => (route.kind === 'local-sid' ? [route.localSid] : [])),
      probeRoutes: marked.filter(isProbeRoute).map((route) => probeRouteOf(route, this.#settings)),
      strays: marked
        .filter((route) => Number(route.fields['table']) !== table || route.metric !== metric)
        .filter((route) => !isProbeRoute(route) && !isReturnRoute(route, this.#settings))
        .map((route) => strayOf(family, route, protocol)),
      // A route with a larger metric may stay: ours goes before it, and it serves again when ours is withdrawn.
      obstacles: inTable
        .filter((route) => route.protocol !== protocol && route.metric <= metric)
        .map((route): [string, string] => [route.prefix, `route ${describeRoute(route)}`]),
    };
  }

  async #routes(family: Family, selection: readonly string[]): Promise<KernelRoute[]> {
    // With counters (-s), because only then local SIDs tell that they are counted.
    const args = [FAMILY_FLAG[family], '-s', '-N', '-j', '-d', 'route', 'show', ...selection];
    const { code, stdout, stderr } = await this.#shell.run('ip', args);
    // A table comes into being with its first route.
    if (stderr.includes('FIB table does not exist')) return [];
    if (code !== 0) throw new DataPlaneError(`the ${family} routes cannot be read: ${stderr.trim()}`);
    return parseRoutes(stdout, family);
  }

  async #runBatch(lines: readonly BatchLine[]): Promise<StepFailure[]> {
    const [first] = lines;
    if (first === undefined) return [];
    const text = lines.map((line) => `${line.text}\n`).join('');
    const { code, stderr } = await this.#shell.run('ip', [FAMILY_FLAG[first.family], '-force', '-batch', '-'], text);
    const { failures, aborted } = parseBatchErrors(stderr, code);
    return lines.flatMap(({ step, text: line }, index) => {
      const reason = failures.get(index) ?? aborted;
      return reason === null ? [] : [{ step, reason: `ip ${line}: ${reason}` }];
    });
  }
}

/** Whether a route of ours is a probe route, rightly or wrongly written. */
function holdsProbes({ prefix, metric, fields }: KernelRoute, settings: LinuxSettings): boolean {
  const { probePrefix, probeTable } = settings;
  if (probePrefix === null || Number(fields['table']) !== probeTable || metric !== settings.metric) return false;
  return prefix.endsWith('/128') && inPrefix(probePrefix)(prefix);
}

function strayOf(family: Family, { prefix, metric, fields }: KernelRoute, protocol: number): Stray {
  const id = `${prefix} table ${String(fields['table'])} metric ${metric} proto ${protocol}`;
  return { family, id, description: `route ${id}` };
}
