import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bytes } from '../testing/raw-server.js';
import { frameOf, FrameReader } from './frame.js';

describe('a frame', () => {
  it('is 16 bytes, the length of the message in big endian at offset 8, then the message', () => {
    expect(frameOf(bytes('0102030405'))).toEqual(bytes('0000000000000000', '00000005', '00000000', '0102030405'));
  });

  it('is found again in any pieces, in order', () => {
    const messages = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 8 });
    fc.assert(
      fc.property(messages, fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1 }), (sent, sizes) => {
        const stream = Buffer.concat(sent.map((message) => frameOf(message)));
        const reader = new FrameReader();
        const found: Buffer[] = [];
        for (let at = 0, i = 0; at < stream.length; i++) {
          const size = sizes[i % sizes.length] as number;
          found.push(...reader.push(stream.subarray(at, at + size)));
          at += size;
        }
        expect(found.map((message) => [...message])).toEqual(sent.map((message) => [...message]));
      }),
    );
  });

  it('of an impossible length is an error', () => {
    expect(() => new FrameReader().push(bytes('0000000000000000', 'ffffffff', '00000000'))).toThrow(
      'a frame claims 4294967295 bytes',
    );
  });
});
