import {
  generateSigningKey,
  openDelta,
  ProtocolError,
  sealDelta,
  Signer,
  stateHashOf,
  Verifier,
  type Delta,
  type Digest,
} from '@waymark/agent-protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { HeldState, Snapshot } from './held-state.js';
import { initialSessionState, step, type SessionEffect, type SessionInput } from './session-machine.js';

const key = generateSigningKey();
const signer = new Signer(key.privateKey);
const verifier = new Verifier(key.publicKey);
const INSTANCE = 'i';
const NODE = 'h1';
const POLICY_IDS = ['h1:1:h2', 'h1:1:h3', 'h1:1:h4'];

interface Truth {
  readonly epoch: number;
  readonly generation: number;
  readonly policies: ReadonlyMap<string, { readonly generation: number; readonly body: Uint8Array }>;
}

type Step =
  | { readonly op: 'write'; readonly policy: number; readonly body: number | null; readonly hint: boolean }
  | { readonly op: 'new-leader' | 'welcome' | 'link-lost' | 'bus-lost' | 'bus-confirmed' }
  | { readonly op: 'deliver' | 'drop' | 'duplicate'; readonly at: number }
  | { readonly op: 'corrupt'; readonly at: number; readonly byte: number; readonly flip: number }
  | { readonly op: 'replay'; readonly at: number }
  | { readonly op: 'digest'; readonly age: number }
  | { readonly op: 'snapshot'; readonly outcome: 'answer' | 'fail' | 'truncate' }
  | { readonly op: 'disk'; readonly outcome: 'stored' | 'failed' }
  | { readonly op: 'retry' | 'crash' };

/** A controller that is always right, and a network, a disk and a bus that are not. */
class World {
  readonly recorded: SessionInput[] = [];
  readonly effects: SessionEffect[] = [];
  #state = initialSessionState(NODE);
  /** By generation, from the first. */
  readonly #history: Truth[] = [{ epoch: 0, generation: 0, policies: new Map() }];
  #epoch = 1;
  #queue: Uint8Array[] = [];
  readonly #published: Uint8Array[] = [];
  #disk: HeldState | null = null;
  #writing: HeldState | null = null;
  #request: { readonly attempt: number; readonly answer: Snapshot } | null = null;
  #handedGeneration = 0;

  get held(): HeldState | null {
    return this.#state.held;
  }

  get truth(): Truth {
    return this.#history[this.#history.length - 1] ?? { epoch: 0, generation: 0, policies: new Map() };
  }

  perform(action: Step): void {
    switch (action.op) {
      case 'write':
        this.#write(POLICY_IDS[action.policy % POLICY_IDS.length] ?? '', action.body, action.hint);
        return;
      case 'new-leader':
        this.#epoch++;
        return;
      case 'welcome':
        this.input({ kind: 'welcome', instance: INSTANCE, digest: digestOf(this.truth) });
        return;
      case 'link-lost':
        this.#request = null;
        this.input({ kind: 'link-lost' });
        return;
      case 'bus-lost':
        this.#queue = [];
        this.input({ kind: 'bus', confirmed: false });
        return;
      case 'bus-confirmed':
        this.input({ kind: 'bus', confirmed: true });
        return;
      case 'deliver':
        this.#hear(this.#take(action.at));
        return;
      case 'drop':
        this.#take(action.at);
        return;
      case 'duplicate': {
        const message = this.#queue[action.at % Math.max(1, this.#queue.length)];
        if (message !== undefined) this.#queue.push(message);
        return;
      }
      case 'corrupt': {
        const message = Uint8Array.from(this.#take(action.at) ?? []);
        const index = action.byte % Math.max(1, message.length);
        message[index] = (message[index] ?? 0) ^ action.flip;
        this.#hear(message);
        return;
      }
      case 'replay':
        this.#hear(this.#published[action.at % Math.max(1, this.#published.length)]);
        return;
      case 'digest': {
        const past = this.#history[Math.max(0, this.#history.length - 1 - action.age)];
        if (past !== undefined && this.#state.linkUp) this.input({ kind: 'digest', digest: digestOf(past) });
        return;
      }
      case 'snapshot':
        this.#answer(action.outcome);
        return;
      case 'disk':
        this.#finishWrite(action.outcome);
        return;
      case 'retry':
        this.input({ kind: 'retry' });
        return;
      case 'crash':
        this.#crash();
    }
  }

  /** The network behaves from now on: everything that is asked is answered. */
  heal(): void {
    this.perform({ op: 'link-lost' });
    this.perform({ op: 'welcome' });
    this.perform({ op: 'bus-confirmed' });
    for (let round = 0; round < 10; round++) {
      this.perform({ op: 'disk', outcome: 'stored' });
      this.perform({ op: 'retry' });
      this.perform({ op: 'snapshot', outcome: 'answer' });
      while (this.#queue.length > 0) this.perform({ op: 'deliver', at: 0 });
      this.perform({ op: 'disk', outcome: 'stored' });
      this.perform({ op: 'digest', age: 0 });
    }
  }

  input(input: SessionInput): void {
    this.recorded.push(input);
    const { state, effects } = step(this.#state, input);
    this.#state = state;
    for (const effect of effects) {
      this.effects.push(effect);
      this.#react(effect);
    }
  }

  #react(effect: SessionEffect): void {
    if (effect.kind === 'fetch-snapshot') {
      this.#request = { attempt: effect.attempt, answer: snapshotOf(this.truth, effect.held) };
    } else if (effect.kind === 'store') {
      expect(this.#writing, 'one write at a time').toBeNull();
      this.#writing = effect.held;
    } else if (effect.kind === 'set-desired') {
      this.#checkHandedOver(effect.held);
    }
  }

  /** What the reconciler gets is always a state that the controller once wanted, durable, and never an older one. */
  #checkHandedOver(held: HeldState): void {
    const wanted = this.#history[held.generation];
    expect(held.epoch).toBe(wanted?.epoch);
    expect(held.policies).toEqual(wanted?.policies);
    expect(held).toBe(this.#disk);
    expect(held.generation).toBeGreaterThanOrEqual(this.#handedGeneration);
    this.#handedGeneration = held.generation;
  }

  #write(policyId: string, variant: number | null, hint: boolean): void {
    const before = this.truth;
    const generation = before.generation + 1;
    const policies = new Map(before.policies);
    const body = variant === null ? new Uint8Array(0) : Uint8Array.of(1, variant);
    if (variant === null) policies.delete(policyId);
    else policies.set(policyId, { generation, body });
    const truth: Truth = { epoch: this.#epoch, generation, policies };
    this.#history.push(truth);
    const delta: Delta = {
      instance: INSTANCE,
      nodeId: NODE,
      epoch: this.#epoch,
      generation,
      previousGeneration: before.generation,
      stateHash: digestOf(truth).stateHash,
      hint,
      changes: hint ? [] : [{ policyId, generation, deleted: variant === null, body }],
    };
    const message = sealDelta(delta, signer);
    this.#published.push(message);
    this.#queue.push(message);
  }

  #take(at: number): Uint8Array | undefined {
    return this.#queue.splice(at % Math.max(1, this.#queue.length), 1)[0];
  }

  #hear(message: Uint8Array | undefined): void {
    if (message === undefined || !this.#state.busConfirmed) return;
    let delta: Delta;
    try {
      delta = openDelta(message, verifier);
    } catch (error) {
      expect(error).toBeInstanceOf(ProtocolError);
      return;
    }
    this.input({ kind: 'delta', delta });
  }

  #answer(outcome: 'answer' | 'fail' | 'truncate'): void {
    const request = this.#request;
    if (request === null) return;
    this.#request = null;
    const { attempt, answer } = request;
    if (outcome === 'fail') this.input({ kind: 'snapshot-failed', attempt });
    else if (outcome === 'answer') this.input({ kind: 'snapshot', attempt, snapshot: answer });
    else this.input({ kind: 'snapshot', attempt, snapshot: { ...answer, policies: answer.policies.slice(1) } });
  }

  #finishWrite(outcome: 'stored' | 'failed'): void {
    const writing = this.#writing;
    if (writing === null) return;
    this.#writing = null;
    if (outcome === 'stored') this.#disk = writing;
    this.input({ kind: outcome === 'stored' ? 'stored' : 'store-failed' });
  }

  /** The process ends; what was being written may or may not be there afterwards. */
  #crash(): void {
    this.#writing = null;
    this.#request = null;
    this.#state = initialSessionState(NODE);
    this.recorded.length = 0;
    this.effects.length = 0;
    this.input({ kind: 'loaded', held: this.#disk });
  }
}

function digestOf({ epoch, generation, policies }: Truth): Digest {
  const hashed = Array.from(policies, ([policyId, { body }]) => ({ policyId, body }));
  return { epoch, generation, stateHash: stateHashOf(hashed) };
}

function snapshotOf(truth: Truth, asked: HeldState): Snapshot {
  const header = { instance: INSTANCE, ...digestOf(truth) };
  const unchanged = asked.generation === truth.generation && asked.epoch === truth.epoch;
  const policies = Array.from(truth.policies, ([policyId, { generation, body }]) => ({
    policyId,
    generation,
    deleted: false,
    body,
  }));
  return { ...header, policies: unchanged ? [] : policies, unchanged };
}

const index = fc.nat(20);
const anything: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      op: fc.constant('write' as const),
      policy: fc.nat(2),
      body: fc.option(fc.nat(3)),
      hint: fc.boolean(),
    }),
  },
  { weight: 6, arbitrary: fc.record({ op: fc.constantFrom('deliver' as const, 'drop', 'duplicate'), at: index }) },
  {
    weight: 3,
    arbitrary: fc.record({
      op: fc.constantFrom('new-leader' as const, 'welcome', 'link-lost', 'bus-lost', 'bus-confirmed', 'retry', 'crash'),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      op: fc.constant('corrupt' as const),
      at: index,
      byte: fc.nat(300),
      flip: fc.integer({ min: 1, max: 255 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ op: fc.constant('replay' as const), at: index }) },
  { weight: 3, arbitrary: fc.record({ op: fc.constant('digest' as const), age: fc.nat(4) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      op: fc.constant('snapshot' as const),
      outcome: fc.constantFrom('answer' as const, 'fail', 'truncate'),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      op: fc.constant('disk' as const),
      outcome: fc.constantFrom('stored' as const, 'stored', 'failed'),
    }),
  },
);

function connected(): World {
  const world = new World();
  world.input({ kind: 'loaded', held: null });
  world.perform({ op: 'welcome' });
  world.perform({ op: 'bus-confirmed' });
  world.perform({ op: 'snapshot', outcome: 'answer' });
  return world;
}

describe('an agent whose messages are dropped, doubled, reordered, corrupted, replayed and delayed', () => {
  it('never hands over a state that the controller did not want, and converges once the network heals', () => {
    fc.assert(
      fc.property(fc.array(anything, { maxLength: 80 }), (steps) => {
        const world = connected();
        for (const action of steps) world.perform(action);
        world.heal();
        expect(world.held?.generation ?? 0).toBe(world.truth.generation);
        expect(world.held?.policies ?? new Map()).toEqual(world.truth.policies);
      }),
      { numRuns: 500 },
    );
  });

  it('replays from its recorded inputs to the same effects', () => {
    fc.assert(
      fc.property(fc.array(anything, { maxLength: 60 }), (steps) => {
        const world = connected();
        for (const action of steps) world.perform(action);
        let state = initialSessionState(NODE);
        const effects: SessionEffect[] = [];
        for (const input of world.recorded) {
          const next = step(state, input);
          state = next.state;
          effects.push(...next.effects);
        }
        expect(effects).toEqual(world.effects);
        expect(state.held).toEqual(world.held);
      }),
      { numRuns: 100 },
    );
  });

  it('needs no snapshot as long as every delta follows the one before', () => {
    const world = connected();
    world.effects.length = 0;
    for (let variant = 0; variant < 5; variant++) {
      world.perform({ op: 'write', policy: variant, body: variant, hint: false });
      world.perform({ op: 'deliver', at: 0 });
      world.perform({ op: 'disk', outcome: 'stored' });
    }
    expect(world.effects.map((effect) => effect.kind)).not.toContain('fetch-snapshot');
    expect(world.held?.generation).toBe(5);
  });

  it('writes a burst of deltas in two writes: the first, and then the newest', () => {
    const world = connected();
    world.effects.length = 0;
    for (let variant = 0; variant < 50; variant++) {
      world.perform({ op: 'write', policy: variant % 3, body: variant, hint: false });
      world.perform({ op: 'deliver', at: 0 });
    }
    expect(world.effects.map((effect) => effect.kind)).toEqual(['store']);
    world.perform({ op: 'disk', outcome: 'stored' });
    world.perform({ op: 'disk', outcome: 'stored' });
    expect(world.effects.map((effect) => effect.kind)).toEqual(['store', 'set-desired', 'store', 'set-desired']);
    expect(world.held?.generation).toBe(50);
  });

  it('applies the deltas that came during a resync after its snapshot', () => {
    const world = connected();
    world.perform({ op: 'write', policy: 0, body: 1, hint: false });
    world.perform({ op: 'drop', at: 0 });
    world.perform({ op: 'digest', age: 0 });
    world.perform({ op: 'write', policy: 1, body: 1, hint: false });
    world.perform({ op: 'write', policy: 2, body: 1, hint: false });
    world.perform({ op: 'deliver', at: 1 });
    world.perform({ op: 'deliver', at: 0 });
    world.effects.length = 0;
    world.perform({ op: 'snapshot', outcome: 'answer' });
    world.perform({ op: 'disk', outcome: 'stored' });
    world.perform({ op: 'disk', outcome: 'stored' });
    expect(world.effects.map((effect) => effect.kind)).toEqual(['store', 'set-desired', 'store', 'set-desired']);
    expect(world.held?.generation).toBe(3);
  });

  it('fetches a snapshot at once when a delta does not follow, and once only', () => {
    const world = connected();
    world.perform({ op: 'write', policy: 0, body: 1, hint: false });
    world.perform({ op: 'write', policy: 1, body: 1, hint: false });
    world.effects.length = 0;
    world.perform({ op: 'deliver', at: 1 });
    expect(world.effects.map((effect) => effect.kind)).toEqual(['fetch-snapshot']);
    world.perform({ op: 'snapshot', outcome: 'answer' });
    world.perform({ op: 'disk', outcome: 'stored' });
    world.perform({ op: 'deliver', at: 0 });
    expect(world.effects.map((effect) => effect.kind)).toEqual(['fetch-snapshot', 'store', 'set-desired']);
  });

  it('does not ask for ever because of a delta that belongs to no state of today', () => {
    const world = connected();
    world.perform({ op: 'write', policy: 0, body: 1, hint: false });
    world.perform({ op: 'deliver', at: 0 });
    world.perform({ op: 'disk', outcome: 'stored' });
    const stateHash = new Uint8Array(32);
    const delta = { instance: INSTANCE, nodeId: NODE, epoch: 1, generation: 9, previousGeneration: 8, stateHash };
    world.effects.length = 0;
    world.input({ kind: 'delta', delta: { ...delta, hint: false, changes: [] } });
    world.perform({ op: 'snapshot', outcome: 'answer' });
    expect(world.effects).toMatchObject([{ kind: 'fetch-snapshot' }, { kind: 'refused', why: 'gap' }]);
  });

  it('fetches once more when the subscription is confirmed while a snapshot is on its way', () => {
    const world = connected();
    world.perform({ op: 'bus-lost' });
    world.perform({ op: 'write', policy: 0, body: 1, hint: false });
    world.perform({ op: 'digest', age: 0 });
    world.perform({ op: 'bus-confirmed' });
    world.effects.length = 0;
    world.perform({ op: 'snapshot', outcome: 'answer' });
    world.perform({ op: 'disk', outcome: 'stored' });
    expect(world.effects.map((effect) => effect.kind)).toEqual(['store', 'set-desired', 'fetch-snapshot']);
  });

  it('accepts nothing that it could not store', () => {
    const world = connected();
    world.perform({ op: 'write', policy: 0, body: 1, hint: false });
    world.perform({ op: 'deliver', at: 0 });
    world.perform({ op: 'disk', outcome: 'failed' });
    expect(world.held).toBeNull();
    expect(world.effects.at(-1)).toEqual({ kind: 'retry-later', failures: 1 });
  });
});

describe('an agent that a deposed or foreign controller speaks to', () => {
  const held: HeldState = {
    instance: INSTANCE,
    epoch: 5,
    generation: 9,
    stateHash: stateHashOf([{ policyId: 'h1:1:h2', body: Uint8Array.of(1) }]),
    policies: new Map([['h1:1:h2', { generation: 9, body: Uint8Array.of(1) }]]),
  };
  const empty = stateHashOf([]);

  function after(...inputs: SessionInput[]): ReturnType<typeof step> {
    let last = step(initialSessionState(NODE), { kind: 'loaded', held });
    const welcome: SessionInput = { kind: 'welcome', instance: INSTANCE, digest: held };
    for (const input of [welcome, ...inputs]) last = step(last.state, input);
    return last;
  }

  it('hands over what it stored before anyone speaks to it', () => {
    expect(step(initialSessionState(NODE), { kind: 'loaded', held }).effects).toEqual([
      { kind: 'set-desired', held, changed: 'all' },
    ]);
  });

  it('ignores a digest of an older epoch, even of a higher generation', () => {
    const digest = { epoch: 4, generation: 20, stateHash: empty };
    expect(after({ kind: 'digest', digest }).effects).toEqual([]);
  });

  it('refuses a delta of an older epoch, even when it follows', () => {
    const delta: Delta = {
      instance: INSTANCE,
      nodeId: NODE,
      epoch: 4,
      generation: 10,
      previousGeneration: 9,
      stateHash: empty,
      hint: false,
      changes: [{ policyId: 'h1:1:h2', generation: 10, deleted: true, body: new Uint8Array(0) }],
    };
    const { state, effects } = after({ kind: 'delta', delta });
    expect(effects).toEqual([{ kind: 'refused', what: 'delta', why: 'old-epoch' }]);
    expect(state.held).toBe(held);
  });

  it('keeps what it has when another installation has never decided anything for its node', () => {
    const digest = { epoch: 0, generation: 0, stateHash: empty };
    const { state } = after({ kind: 'welcome', instance: 'other', digest }, { kind: 'bus', confirmed: true });
    const snapshot = { instance: 'other', ...digest, policies: [], unchanged: false };
    const answered = step(state, { kind: 'snapshot', attempt: 1, snapshot });
    expect(answered.effects).toEqual([]);
    expect(answered.state.held).toBe(held);
  });

  it('follows another installation once that has decided something', () => {
    const policies = [{ policyId: 'h1:1:h3', generation: 1, deleted: false, body: Uint8Array.of(2) }];
    const digest = { epoch: 1, generation: 1, stateHash: stateHashOf(policies) };
    const { state, effects } = after({ kind: 'welcome', instance: 'other', digest });
    expect(effects).toMatchObject([{ kind: 'fetch-snapshot', held: { generation: 0 } }]);
    const snapshot = { instance: 'other', ...digest, policies, unchanged: false };
    const stored = step(step(state, { kind: 'snapshot', attempt: 1, snapshot }).state, { kind: 'stored' });
    expect(stored.effects).toMatchObject([{ kind: 'set-desired', changed: 'all', held: { instance: 'other' } }]);
  });
});
