import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { builtinApi } from '../builtin/definitions.js';
import { builtinDefinitions } from '../builtin/typed.js';
import type { VppRecord, VppValue } from '../codec/value.js';
import { VppDecodeError, VppDefinitionError, VppEncodeError } from '../errors.js';
import { ApiDefinitions } from './api-definitions.js';
import { readApiFile } from './api-file.js';

const names = builtinDefinitions.messageNames();
const HEADER = { id: 1, clientIndex: 2, context: 3 };

/** Structure, names, and the most elements a value of it may have: far more than the bytes it came from is a leak. */
function elements(value: VppValue): number {
  if (value instanceof Uint8Array) return value.length;
  if (Array.isArray(value)) return value.reduce<number>((sum, part: VppValue) => sum + elements(part), 1);
  if (typeof value === 'object') return Object.values(value).reduce<number>((sum, part) => sum + elements(part), 1);
  return 1;
}

function decodeOrRefuse(name: string, message: Buffer): VppRecord | undefined {
  try {
    return builtinDefinitions.message(name).decode(message);
  } catch (error) {
    expect(error).toBeInstanceOf(VppDecodeError);
    return undefined;
  }
}

describe('whatever bytes arrive', () => {
  it('are a message or refused, and what they make is no larger than they are', () => {
    const message = fc.uint8Array({ maxLength: 2_000, size: 'max' });
    let decoded = 0;
    fc.assert(
      fc.property(fc.constantFrom(...names), message, (name, content) => {
        const record = decodeOrRefuse(name, Buffer.from(content));
        if (record === undefined) return;
        decoded++;
        expect(elements(record)).toBeLessThanOrEqual(content.length + 100);
      }),
      { numRuns: 5_000 },
    );
    expect(decoded).toBeGreaterThan(500);
  });

  it('with any of their bytes changed, or cut anywhere, as well', () => {
    const changes = fc.array(fc.tuple(fc.nat(2_000), fc.integer({ min: 0, max: 255 })), { maxLength: 4 });
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 8 }), changes, fc.nat(3_000), (lists, changed, cut) => {
        const message = Buffer.alloc(26 + 265 * lists);
        message.writeUInt32BE(lists, 28 % message.length);
        for (const [at, value] of changed) message[at % message.length] = value;
        decodeOrRefuse('sr_policies_with_sl_index_details', message.subarray(0, cut));
      }),
      { numRuns: 2_000 },
    );
  });

  it('that claim four billion elements allocate nothing', () => {
    const message = Buffer.alloc(40, 0xff);
    expect(() => builtinDefinitions.message('sockclnt_create_reply').decode(message)).toThrow(VppDecodeError);
    expect(() => builtinDefinitions.message('cli_inband_reply').decode(message)).toThrow(VppDecodeError);
  });
});

describe('whatever values a request is given', () => {
  it('are encoded or refused', () => {
    const requests = names.filter((name) => builtinDefinitions.service(name).reply !== undefined);
    fc.assert(
      fc.property(fc.constantFrom(...requests), fc.object({ withBigInt: true, maxDepth: 3 }), (name, values) => {
        try {
          builtinDefinitions.message(name).encode(HEADER, values);
        } catch (error) {
          expect(error).toBeInstanceOf(VppEncodeError);
        }
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('whatever JSON a definition is', () => {
  const refusesOrCompiles = (json: unknown): void => {
    try {
      const definitions = new ApiDefinitions([readApiFile(json, 'file')]);
      for (const name of definitions.messageNames()) definitions.message(name);
    } catch (error) {
      expect(error).toBeInstanceOf(VppDefinitionError);
      expect((error as Error).message).not.toBe('');
    }
  };

  it('is understood or refused', () => {
    const parts = fc.constantFrom('types', 'messages', 'unions', 'enums', 'enumflags', 'aliases', 'services');
    const word = fc.constantFrom('u8', 'u32', 'string', 'vl_api_a_t', 'a', 'b', 'vl_api_address_t');
    const leaf = fc.oneof(word, fc.nat(300), fc.constant({ crc: '0x01234567' }), fc.jsonValue());
    const entry = fc.array(fc.oneof(leaf, fc.array(leaf, { maxLength: 4 })), { maxLength: 5 });
    const part = fc.oneof(fc.array(entry, { maxLength: 4 }), fc.dictionary(word, leaf), fc.jsonValue());
    fc.assert(fc.property(fc.dictionary(parts, part), refusesOrCompiles), { numRuns: 3_000 });
  });

  it('may be the built-in one with anything in it replaced', () => {
    const text = JSON.stringify(builtinApi);
    const tokens = [...text.matchAll(/"[^"]*"|\d+/g)];
    fc.assert(
      fc.property(fc.nat(tokens.length - 1), fc.constantFrom('0', '"x"', 'null', '[]', '{}', '-1'), (index, other) => {
        const { index: at, 0: token } = tokens[index] as RegExpExecArray;
        if (text[at + token.length] === ':') return;
        refusesOrCompiles(JSON.parse(text.slice(0, at) + other + text.slice(at + token.length)));
      }),
      { numRuns: 500 },
    );
  });

  it('that refers to itself is refused when it is used', () => {
    const loop = {
      types: [['a', ['vl_api_a_t', 'again']]],
      messages: [['m', ['vl_api_a_t', 'x'], { crc: '0x00000001' }]],
    };
    const definitions = new ApiDefinitions([readApiFile(loop, 'file')]);
    expect(() => definitions.message('m')).toThrow(/types are nested more than 32 deep/);
  });
});
