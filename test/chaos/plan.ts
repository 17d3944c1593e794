import { Choices } from './choices.js';
import { LINKS, POLICY_SLOTS, MESH_SLOTS, LINK_SLOTS, VARIANTS, type Operation } from './workload/operation.js';

/** Parts of the system that a fault can be done to. */
export type ControllerName = 'controller-a' | 'controller-b';
export type ProcessName = ControllerName | 'redis' | 'postgres' | `agent-${string}`;

/** A connection between two parts, through a proxy: `<who connects>→<to what>`. */
export type LineName = `${string}→${string}`;

export type Fault =
  | { readonly kind: 'kill'; readonly process: ProcessName }
  | { readonly kind: 'freeze'; readonly process: ProcessName }
  | { readonly kind: 'slow'; readonly process: ProcessName; readonly runMs: number; readonly pauseMs: number }
  | { readonly kind: 'cut' | 'stall'; readonly line: LineName }
  | { readonly kind: 'delay'; readonly line: LineName; readonly ms: number }
  | { readonly kind: 'corrupt'; readonly line: LineName; readonly bytes: number }
  | { readonly kind: 'clock'; readonly process: ProcessName; readonly aheadSeconds: number }
  | { readonly kind: 'fill-redis-buffers' }
  | { readonly kind: 'disk-full' };

/** Milliseconds from the beginning of a round. What a fault does is undone after `forMs`. */
export interface PlannedFault {
  readonly atMs: number;
  readonly forMs: number;
  readonly fault: Fault;
}

export interface PlannedOperation {
  readonly atMs: number;
  /** One client each: what it asks for, it asks for one after the other. */
  readonly lane: number;
  readonly via: ControllerName;
  readonly operation: Operation;
}

/** Faults and work for so long; then all is healed, settles and is held against what was accepted. */
export interface Round {
  readonly number: number;
  readonly lengthMs: number;
  readonly faults: readonly PlannedFault[];
  readonly operations: readonly PlannedOperation[];
}

export interface PlanOptions {
  readonly rounds: number;
  readonly roundMs: number;
  /** Node ids of the agents. */
  readonly agents: readonly string[];
}

/** Everything that a run does, from nothing but the seed and the options. */
export function planOf(seed: number, options: PlanOptions): readonly Round[] {
  const choices = new Choices(seed);
  return Array.from({ length: options.rounds }, (_, index) => {
    const [faults, work] = [choices.fork(), choices.fork()];
    return {
      number: index + 1,
      lengthMs: options.roundMs,
      faults: planFaults(faults, options),
      operations: planOperations(work, options.roundMs),
    };
  });
}

export const CONTROLLERS = ['controller-a', 'controller-b'] as const;

/** Lines that carry signatures or TLS: what is damaged on the others, nobody could notice. */
export function linesOf(agents: readonly string[]): {
  readonly all: readonly LineName[];
  readonly proof: readonly LineName[];
} {
  const proof = [
    ...CONTROLLERS.map((name): LineName => `${name}→redis`),
    ...agents.map((name): LineName => `agent-${name}→redis`),
    ...agents.flatMap((name) => CONTROLLERS.map((controller): LineName => `agent-${name}→${controller}`)),
  ];
  const plain = CONTROLLERS.flatMap((name): LineName[] => [`${name}→postgres`, `client→${name}`]);
  return { all: [...proof, ...plain], proof };
}

function planFaults(choices: Choices, { agents, roundMs }: PlanOptions): readonly PlannedFault[] {
  const faults: PlannedFault[] = [];
  /** Until when a part has its fault: no part has two at a time, or the end of one would end the other. */
  const busyUntil = new Map<string, number>();
  for (let atMs = choices.integer(300, 1500); atMs < roundMs; atMs += choices.integer(200, 2500)) {
    const fault = planFault(choices, agents);
    const forMs = durationOf(fault, choices);
    const part = partOf(fault);
    if (atMs < (busyUntil.get(part) ?? 0)) continue;
    busyUntil.set(part, atMs + forMs);
    faults.push({ atMs, forMs, fault });
  }
  return faults;
}

export function partOf(fault: Fault): string {
  switch (fault.kind) {
    case 'kill':
    case 'freeze':
    case 'slow':
      return fault.process;
    case 'clock':
      return `clock of ${fault.process}`;
    case 'cut':
    case 'stall':
    case 'delay':
    case 'corrupt':
      return fault.line;
    case 'fill-redis-buffers':
      return 'redis';
    case 'disk-full':
      return 'postgres';
  }
}

const KINDS = [
  ...([
    'kill',
    'kill',
    'kill',
    'freeze',
    'freeze',
    'freeze',
    'cut',
    'cut',
    'stall',
    'stall',
    'delay',
    'corrupt',
  ] as const),
  ...(['slow', 'clock', 'fill-redis-buffers', 'disk-full'] as const),
];

function planFault(choices: Choices, agents: readonly string[]): Fault {
  const agent = choices.of(agents);
  const anyProcess = choices.of<ProcessName>([...CONTROLLERS, ...CONTROLLERS, 'redis', 'postgres', `agent-${agent}`]);
  const lines = linesOf(agents);
  const kind = choices.of(KINDS);
  switch (kind) {
    case 'kill':
    case 'freeze':
      return { kind, process: anyProcess };
    case 'slow':
      return {
        kind,
        process: `agent-${agent}`,
        runMs: choices.integer(5, 50),
        pauseMs: choices.integer(50, 400),
      };
    case 'cut':
    case 'stall':
      return { kind, line: choices.of(lines.all) };
    case 'delay':
      return { kind, line: choices.of(lines.all), ms: choices.integer(20, 1500) };
    case 'corrupt':
      return { kind, line: choices.of(lines.proof), bytes: choices.integer(1, 40) };
    case 'clock':
      return {
        kind,
        process: choices.of<ProcessName>([...CONTROLLERS, `agent-${agent}`]),
        aheadSeconds: choices.of([-86_400, -3_600, -30, -2, 2, 30, 3_600, 86_400]),
      };
    case 'fill-redis-buffers':
    case 'disk-full':
      return { kind };
  }
}

function durationOf({ kind }: Fault, choices: Choices): number {
  switch (kind) {
    case 'kill':
      return choices.integer(0, 3000);
    // Short ones pass unnoticed, long ones outlast each of the system's own patience.
    case 'freeze':
    case 'stall':
      return choices.of([choices.integer(100, 1500), choices.integer(2000, 9000)]);
    case 'cut':
      return choices.of([0, choices.integer(100, 4000)]);
    case 'delay':
    case 'slow':
    case 'clock':
      return choices.integer(1000, 8000);
    case 'corrupt':
      return choices.integer(500, 3000);
    case 'fill-redis-buffers':
      return 0;
    case 'disk-full':
      return choices.integer(1500, 5000);
  }
}

const LANES = 4;

function planOperations(choices: Choices, roundMs: number): readonly PlannedOperation[] {
  const lanes = Array.from({ length: LANES }, (_, lane) => {
    const own = choices.fork();
    const operations: PlannedOperation[] = [];
    for (let atMs = own.integer(0, 400); atMs < roundMs; atMs += own.integer(50, 700)) {
      operations.push({ atMs, lane, via: own.of(CONTROLLERS), operation: operationOf(lane, own) });
    }
    return operations;
  });
  return lanes.flat().sort((a, b) => a.atMs - b.atMs);
}

function operationOf(lane: number, choices: Choices): Operation {
  switch (lane) {
    case 0: {
      const slot = choices.integer(0, POLICY_SLOTS - 1);
      if (choices.chance(0.25)) return { kind: 'delete', resource: 'policy', slot };
      return { kind: 'put', resource: 'policy', slot, variant: choices.integer(0, VARIANTS - 1) };
    }
    case 1: {
      if (choices.chance(0.4)) return { kind: 'refused', variant: choices.integer(0, VARIANTS - 1) };
      const slot = choices.integer(0, MESH_SLOTS - 1);
      if (choices.chance(0.25)) return { kind: 'delete', resource: 'mesh', slot };
      return { kind: 'put', resource: 'mesh', slot, variant: choices.integer(0, VARIANTS - 1) };
    }
    case 2: {
      const slot = choices.integer(0, LINK_SLOTS - 1);
      if (choices.chance(0.3)) return { kind: 'delete', resource: 'link-constraints', slot };
      return { kind: 'put', resource: 'link-constraints', slot, variant: choices.integer(0, VARIANTS - 1) };
    }
    default:
      return { kind: 'link-state', link: choices.of(LINKS), state: choices.chance(0.4) ? 'down' : 'up' };
  }
}

/** A fault in words. */
export function describeFault(fault: Fault): string {
  switch (fault.kind) {
    case 'kill':
    case 'freeze':
      return `${fault.kind} ${fault.process}`;
    case 'slow':
      return `slow ${fault.process}: ${fault.pauseMs} ms of each ${fault.pauseMs + fault.runMs} it stands still`;
    case 'cut':
    case 'stall':
      return `${fault.kind} ${fault.line}`;
    case 'delay':
      return `delay ${fault.line} by ${fault.ms} ms`;
    case 'corrupt':
      return `corrupt ${fault.bytes} bytes of ${fault.line}`;
    case 'clock':
      return `clock of ${fault.process} is ${fault.aheadSeconds} s ahead`;
    case 'fill-redis-buffers':
    case 'disk-full':
      return fault.kind;
  }
}
