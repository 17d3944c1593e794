import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openDelta, sealDelta } from './delta.js';
import { Delta, SignedDelta } from './generated/waymark/agent/v1/agent.js';
import { HINT_ABOVE_BYTES } from './limits.js';
import { ProtocolError } from './protocol-error.js';
import { generateSigningKey, Signer, Verifier } from './signing.js';

const key = generateSigningKey();
const signer = new Signer(key.privateKey);
const verifier = new Verifier(key.publicKey);

const change = { policyId: 'h1:1:h2', generation: 8, deleted: false, body: Uint8Array.of(1, 2, 3) };
const delta: Delta = {
  instance: 'i',
  nodeId: 'h1',
  epoch: 3,
  generation: 8,
  previousGeneration: 7,
  stateHash: new Uint8Array(32),
  hint: false,
  changes: [change],
};

/** Signed by the controller although it breaks the protocol. */
function signed(payload: Uint8Array): Uint8Array {
  return SignedDelta.encode({ payload, signature: signer.sign(payload) }).finish();
}

describe('a delta on the bus', () => {
  it('arrives as it was sent', () => {
    expect(openDelta(sealDelta(delta, signer), verifier)).toEqual(delta);
  });

  it('becomes a hint when it would be longer than 64 KiB, and not before', () => {
    const withBody = (bytes: number): Delta => ({
      ...delta,
      changes: [{ ...change, body: new Uint8Array(bytes).fill(1) }],
    });
    const fits = sealDelta(withBody(HINT_ABOVE_BYTES - 300), signer);
    expect(fits.length).toBeLessThanOrEqual(HINT_ABOVE_BYTES);
    expect(openDelta(fits, verifier)).toMatchObject({ hint: false, changes: [{ policyId: change.policyId }] });
    const hint = sealDelta(withBody(HINT_ABOVE_BYTES), signer);
    expect(openDelta(hint, verifier)).toEqual({ ...delta, hint: true, changes: [] });
  });

  it('is refused for its signature when any byte of payload or signature differs', () => {
    const { payload, signature } = SignedDelta.decode(sealDelta(delta, signer));
    fc.assert(
      fc.property(fc.nat(payload.length + signature.length - 1), fc.integer({ min: 1, max: 255 }), (index, flip) => {
        const parts = { payload: Uint8Array.from(payload), signature: Uint8Array.from(signature) };
        const part = index < payload.length ? parts.payload : parts.signature;
        const at = index < payload.length ? index : index - payload.length;
        part[at] = (part[at] ?? 0) ^ flip;
        expect(() => openDelta(SignedDelta.encode(parts).finish(), verifier)).toThrow(
          expect.objectContaining({ code: 'signature' }),
        );
      }),
    );
  });

  it('is refused when somebody else has signed it', () => {
    const stranger = new Signer(generateSigningKey().privateKey);
    expect(() => openDelta(sealDelta(delta, stranger), verifier)).toThrow(
      expect.objectContaining({ code: 'signature' }),
    );
  });

  it('throws nothing but ProtocolError, whatever the bytes, signed or not', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.boolean(), (noise, sign) => {
        expect(() => openDelta(sign ? signed(noise) : noise, verifier)).toThrow(ProtocolError);
      }),
    );
  });

  it.each<[string, Partial<Delta>]>([
    ['no instance', { instance: '' }],
    ['no node', { nodeId: '' }],
    ['no epoch', { epoch: 0 }],
    ['a generation that does not grow', { previousGeneration: 8 }],
    ['a short hash', { stateHash: new Uint8Array(31) }],
    ['a hint with changes', { hint: true }],
    ['a policy of another node', { changes: [{ ...change, policyId: 'h2:1:h1' }] }],
    ['a policy twice', { changes: [change, change] }],
    ['a change of another generation', { changes: [{ ...change, generation: 7 }] }],
    ['a deleted policy with a body', { changes: [{ ...change, deleted: true }] }],
    ['a policy without a body', { changes: [{ ...change, body: new Uint8Array(0) }] }],
  ])('is refused with %s', (_, bad) => {
    expect(() => openDelta(signed(Delta.encode({ ...delta, ...bad }).finish()), verifier)).toThrow(
      expect.objectContaining({ code: 'malformed' }),
    );
  });

  it('is refused when a number is beyond what is exact', () => {
    // Field 4 (epoch), varint of 2^63.
    const beyond = Uint8Array.of(0x20, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01);
    expect(() => openDelta(signed(Buffer.concat([Delta.encode(delta).finish(), beyond])), verifier)).toThrow(
      expect.objectContaining({ code: 'malformed' }),
    );
  });
});

describe('a public key', () => {
  it('is refused when it is noise or of another kind', () => {
    expect(() => new Verifier(new Uint8Array(44))).toThrow(ProtocolError);
    expect(() => new Verifier(Buffer.from('MCowBQYDK2VuAyEA' + 'A'.repeat(43) + '=', 'base64'))).toThrow(ProtocolError);
  });
});
