import { Delta, Family, generateSigningKey, SignedDelta, Signer } from '@waymark/agent-protocol';
import { policyBody } from '../../../apps/controller/src/testing/distribution-fixture.js';
import type { FuzzCase } from '../campaign.js';
import { mutatedBytes, mutatedProtobuf } from '../mutate-protobuf.js';
import type { Random } from '../random.js';

/** What an attacker has who hears and can publish everything, and what a controller in error has besides. */
export interface Heard {
  /** Signed deltas of the node, oldest first. */
  readonly own: readonly Buffer[];
  readonly ofOthers: readonly Buffer[];
  readonly key: Signer;
}

export interface DeltaCase extends FuzzCase {
  readonly payloads: readonly Buffer[];
  /** True: each is refused and counted. False: none is. Undefined: that depends on where it was hit. */
  readonly bad: boolean | undefined;
}

const theirs = new Signer(generateSigningKey().privateKey);

/** Which of them, as a pure function of `random`; of what was heard, only which is the newest depends on what happened. */
export function deltaCase(random: Random, { own, ofOthers, key }: Heard): DeltaCase {
  const newest = own.at(-1) ?? Buffer.alloc(0);
  const signed = SignedDelta.decode(newest);
  const delta = Delta.decode(signed.payload);
  const next = (change: Partial<Delta>, signer = key): Buffer => {
    const generation = delta.generation + 1;
    const changes = [{ policyId: 'h1:1:x', generation, deleted: false, body: policyBody('h1:1:x', 99) }];
    return sealed(
      Buffer.from(
        Delta.encode({ ...delta, previousGeneration: delta.generation, generation, changes, ...change }).finish(),
      ),
      signer,
    );
  };
  const made = (kind: string, bad: boolean | undefined, ...payloads: readonly Buffer[]): DeltaCase => ({
    ...{ kind, bad, payloads },
    text: payloads.map((payload) => payload.subarray(0, 300).toString('base64')).join(' '),
  });
  const cases: Readonly<Record<string, () => DeltaCase>> = {
    noise: () => made('noise', undefined, random.bytes(random.below(300))),
    'bytes changed': () => {
      const changed = mutatedBytes(random, newest);
      return made('bytes changed', undefined, changed);
    },
    'a signed field changed': () =>
      made('a signed field changed', true, signedDelta(changedPayload(random, signed.payload), signed.signature)),
    'signature changed': () =>
      made(
        'signature changed',
        true,
        signedDelta(Buffer.from(signed.payload), mutatedSignature(random, signed.signature)),
      ),
    'wrapper changed': () => made('wrapper changed', undefined, mutatedProtobuf(random, newest)),
    'key of another': () => made('key of another', true, next({}, theirs)),
    unsigned: () => made('unsigned', true, signedDelta(Buffer.from(signed.payload), Buffer.alloc(0))),
    replayed: () => made('replayed', false, random.pick(own)),
    'replayed in another order': () => made('replayed in another order', false, ...own.toReversed(), ...own),
    'of another node': () => made('of another node', false, random.pick(ofOthers)),
    'of another installation': () =>
      made('of another installation', false, next({ instance: '00000000-0000-4000-8000-000000000000' })),
    'of an old epoch': () => made('of an old epoch', undefined, next({ epoch: 0 })),
    'hash that is wrong': () => made('hash that is wrong', false, next({})),
    'a gap': () =>
      made(
        'a gap',
        false,
        next({ previousGeneration: delta.generation + 5, generation: delta.generation + 6, changes: [] }),
      ),
    'generations at their end': () =>
      made(
        'generations at their end',
        false,
        next({ previousGeneration: 2 ** 52, generation: 2 ** 53 - 1, changes: [] }),
      ),
    'generations backwards': () =>
      made(
        'generations backwards',
        true,
        next({ previousGeneration: delta.generation + 9, generation: delta.generation + 9 }),
      ),
    'policy of another node': () =>
      made(
        'policy of another node',
        true,
        next({
          changes: [
            { policyId: 'h2:1:x', generation: delta.generation + 1, deleted: false, body: policyBody('h2:1:x', 9) },
          ],
        }),
      ),
    'policy named __proto__': () =>
      made(
        'policy named __proto__',
        true,
        next({
          changes: [
            { policyId: '__proto__', generation: delta.generation + 1, deleted: false, body: Buffer.from('x') },
          ],
        }),
      ),
    'policy twice': () => {
      const change = { policyId: 'h1:1:x', generation: delta.generation + 1, deleted: true, body: Buffer.alloc(0) };
      return made('policy twice', true, next({ changes: [change, change] }));
    },
    'hint with changes': () => made('hint with changes', true, next({ hint: true })),
    'flood of hints': () =>
      made('flood of hints', false, ...Array.from({ length: 300 }, () => next({ hint: true, changes: [] }))),
    'block with host bits': () =>
      made(
        'block with host bits',
        true,
        next({ bsidBlock: { family: Family.IPV6, address: Buffer.alloc(16, 1), length: 64 } }),
      ),
    'signed and malformed': () =>
      made('signed and malformed', undefined, sealed(mutatedProtobuf(random, Buffer.from(signed.payload)), key)),
    giant: () =>
      made('giant', true, random.chance(0.05) ? Buffer.alloc(20_000_000, 0x0a) : Buffer.alloc(300_000, 0x0a)),
  };
  return (cases[random.pick(Object.keys(cases))] as () => DeltaCase)();
}

function sealed(payload: Buffer, signer: Signer): Buffer {
  return signedDelta(payload, signer.sign(payload));
}

function signedDelta(payload: Buffer, signature: Uint8Array): Buffer {
  return Buffer.from(SignedDelta.encode({ payload, signature }).finish());
}

function changedPayload(random: Random, payload: Uint8Array): Buffer {
  const before = Buffer.from(payload);
  const changed = mutatedProtobuf(random, before);
  return changed.equals(before) ? Buffer.concat([before, Buffer.from([0])]) : changed;
}

function mutatedSignature(random: Random, signature: Uint8Array): Buffer {
  const changed = Buffer.from(signature);
  const at = random.below(changed.length);
  changed[at] = (changed[at] ?? 0) ^ (1 << random.below(8));
  return changed;
}
