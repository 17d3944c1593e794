import { describe, expect, it } from 'vitest';
import { NONCE_BYTES, probePacket, sequenceOf } from './probe-packet.js';

const NONCE = new Uint8Array(NONCE_BYTES).fill(7);

describe('a probe packet', () => {
  it('is known again by who sent it', () => {
    expect(sequenceOf(probePacket(NONCE, 2 ** 40 + 3), NONCE)).toBe(2 ** 40 + 3);
  });

  it('is nothing to anyone else', () => {
    const packet = probePacket(NONCE, 3);
    expect(sequenceOf(packet, new Uint8Array(NONCE_BYTES).fill(8))).toBeNull();
    expect(sequenceOf(packet.slice(0, -1), NONCE)).toBeNull();
    expect(sequenceOf(Uint8Array.of(...packet, 0), NONCE)).toBeNull();
    expect(sequenceOf(packet.with(0, 0), NONCE)).toBeNull();
    expect(sequenceOf(new Uint8Array(), NONCE)).toBeNull();
  });
});
