import type { ActualState, Capabilities, DataPlane, Reading, Step, StepFailure, Tunnel } from '../port.js';
import { DataPlaneError } from '../port.js';
import { srhEntries } from '../segment-lists.js';
import { parseBatchErrors } from './batch.js';
import { ClassExceptions, type ComingPrefix } from './class-exceptions.js';
import { placesOf, placeText, takenPlaces } from './class-places.js';
import { objectionToClassTable } from './class-tables.js';
import { readLinuxCounters } from './counters.js';
import { Edge } from './edge.js';
import { Foundation } from './foundation.js';
import { MAX_SIDS, objectionOf } from './limits.js';
import { FAMILY_FLAG } from './kernel-tables.js';
import { readFamily } from './read-family.js';
import { leavingLine, linesOf, type BatchLine } from './route-lines.js';
import type { LinuxSettings } from './settings.js';
import type { Shell } from './shell.js';
import { groupSteerings } from './steerings.js';

/** How long to wait before `ip monitor` is started again after it ended. */
const MONITOR_PAUSE_MS = 5_000;

/**
 * SRv6 in the Linux kernel through iproute2: a steered prefix is one route whose nexthops encapsulate (`encap seg6`) or
 * that discards (`blackhole`). Replacing it loses no packet. The kernel needs no binding SID for that, so none is
 * installed; all of a tunnel is in its routes. What a service class steers is in a table of its own (class-tables.ts).
 */
export class LinuxDataPlane implements DataPlane {
  readonly capabilities: Capabilities;
  readonly #settings: LinuxSettings;
  readonly #shell: Shell;
  readonly #foundation: Foundation;
  readonly #edge: Edge;
  readonly #exceptions: ClassExceptions;
  /** As last read; until then there may be some. */
  #hasClassRoutes = true;

  constructor(settings: LinuxSettings, shell: Shell) {
    this.#settings = settings;
    this.#shell = shell;
    this.#foundation = new Foundation(settings, shell);
    this.#edge = new Edge(settings, shell);
    this.#exceptions = new ClassExceptions(settings, shell);
    const { encapMode, probePrefix } = settings;
    const msdHEncaps = srhEntries(MAX_SIDS, encapMode);
    this.capabilities = { name: 'linux', real: true, msdHEncaps, encapMode, bindingSids: false, probePrefix };
  }

  async prepare(): Promise<readonly string[]> {
    // The edge first: a node that cannot steer is protected all the same.
    await this.#edge.lay();
    await this.#foundation.lay();
    return this.#hasClassRoutes ? this.#exceptions.lay() : [];
  }

  close(): void {
    // Every command is a process of its own.
  }

  async dismantle(): Promise<void> {
    const [problem] = await this.#exceptions.lay();
    await this.#foundation.remove();
    await this.#edge.remove();
    if (problem !== undefined) throw new DataPlaneError(problem);
  }

  objection(tunnel: Tunnel): string | null {
    return objectionOf(tunnel);
  }

  objectionToClass(color: number): string | null {
    return objectionToClassTable(color, this.#settings);
  }

  async read(): Promise<ActualState> {
    const [v4, v6] = await Promise.all([
      readFamily('ipv4', this.#settings, this.#shell),
      readFamily('ipv6', this.#settings, this.#shell),
    ]);
    this.#hasClassRoutes = v4.hasClassRoutes || v6.hasClassRoutes;
    return {
      tunnels: groupSteerings([...v4.steerings, ...v6.steerings]),
      localSids: v6.localSids,
      probeRoutes: v6.probeRoutes,
      classSources: [...v4.classSources, ...v6.classSources],
      strays: [...v4.strays, ...v6.strays],
      obstacles: new Map([...v4.obstacles, ...v6.obstacles]),
      classObstacles: new Map([...v4.classObstacles, ...v6.classObstacles]),
    };
  }

  async apply(steps: readonly Step[]): Promise<readonly StepFailure[]> {
    const refusals = await this.#refusals(steps);
    const refused = new Set(refusals.map(({ step }) => step));
    const allowed = steps.filter((step) => !refused.has(step));
    const failures = await this.#run(allowed.flatMap((step) => linesOf(step, this.#settings)));
    const failed = new Set(failures.map(({ step }) => step));
    const leaving = allowed.filter((step) => !failed.has(step)).map((step) => leavingLine(step, this.#settings));
    return [...refusals, ...failures, ...(await this.#run(leaving.filter((line) => line !== null)))];
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

  /** Steps into tables that something else uses, or, where exceptions cannot be made for them, that would hide routes. */
  async #refusals(steps: readonly Step[]): Promise<readonly StepFailure[]> {
    const taken = await takenPlaces(steps.flatMap(placesOf), this.#settings, this.#shell);
    const reasonOf = (step: Step): string | null => {
      const place = placesOf(step).find((one) => taken.has(placeText(one)));
      return place === undefined ? null : (taken.get(placeText(place)) ?? '');
    };
    const coming = steps.filter((step) => reasonOf(step) === null).flatMap(comingIn);
    const [problem] = coming.length > 0 ? await this.#exceptions.lay(coming) : [];
    return steps.flatMap((step) => {
      const reason = reasonOf(step) ?? (comingIn(step).length > 0 ? problem : undefined);
      return reason === undefined ? [] : [{ step, reason }];
    });
  }

  async #run(lines: readonly BatchLine[]): Promise<StepFailure[]> {
    return [
      ...(await this.#runBatch(lines.filter(({ family }) => family === 'ipv4'))),
      ...(await this.#runBatch(lines.filter(({ family }) => family === 'ipv6'))),
    ];
  }

  async #runBatch(lines: readonly BatchLine[]): Promise<StepFailure[]> {
    const [first] = lines;
    if (first === undefined) return [];
    const text = lines.map((line) => `${line.text}\n`).join('');
    const { code, stderr } = await this.#shell.run('ip', [FAMILY_FLAG[first.family], '-force', '-batch', '-'], text);
    const { failures, aborted } = parseBatchErrors(stderr, code);
    return lines.flatMap(({ step, text: line }, index) => {
      const reason = failures.get(index) ?? aborted;
      // Of an agent that ended between adding the rule of a new class and deleting that of the old one.
      const isThere = step.kind === 'put-class-source' && reason === 'File exists';
      return reason === null || isThere ? [] : [{ step, reason: `ip ${line}: ${reason}` }];
    });
  }
}

function comingIn(step: Step): readonly ComingPrefix[] {
  if (step.kind !== 'put-tunnel') return [];
  const { family } = step.tunnel;
  return step.steer.flatMap(({ prefix, color }) => (color === null ? [] : [{ family, prefix, color }]));
}
