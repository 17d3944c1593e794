import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ServiceClass } from './generated/waymark/agent/v1/agent.js';
import { classIdOf, isClassId, isPolicyId } from './identifiers.js';
import { ProtocolError } from './protocol-error.js';
import { decodeServiceClass, encodeServiceClass } from './service-class.js';

const source = fc.oneof(fc.uint8Array({ minLength: 4, maxLength: 4 }), fc.uint8Array({ minLength: 16, maxLength: 16 }));
const sources = fc.uniqueArray(source, {
  minLength: 1,
  maxLength: 8,
  selector: (one) => Buffer.from(one).toString('hex'),
});

const base: ServiceClass = { classId: 'h1:200:h1', color: 200, sources: [Uint8Array.of(10, 1, 0, 7)] };

describe('the bytes of a service class', () => {
  it('are the same whatever the order of the sources, and give it back', () => {
    fc.assert(
      fc.property(sources, (some) => {
        const bytes = encodeServiceClass({ ...base, sources: some });
        expect(encodeServiceClass({ ...base, sources: [...some].reverse() })).toEqual(bytes);
        expect(encodeServiceClass(decodeServiceClass(bytes))).toEqual(bytes);
        expect(decodeServiceClass(bytes).sources).toHaveLength(some.length);
      }),
    );
  });

  it('are refused with a ProtocolError, and nothing else, when they are noise', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 200 }), (noise) => {
        expect(() => decodeServiceClass(noise)).toThrow(ProtocolError);
      }),
    );
  });

  it.each<[string, ServiceClass]>([
    ['its id is that of a policy', { ...base, classId: 'h1:200:h2' }],
    ['its color is not that of its id', { ...base, color: 201 }],
    ['it has no sources', { ...base, sources: [] }],
    ['a source is no address', { ...base, sources: [Uint8Array.of(10, 1, 0)] }],
    ['a source is named twice', { ...base, sources: [...base.sources, ...base.sources] }],
  ])('are refused when %s', (_, bad) => {
    expect(() => encodeServiceClass(base)).not.toThrow();
    expect(() => encodeServiceClass(bad)).toThrow(ProtocolError);
    expect(() => decodeServiceClass(ServiceClass.encode(bad).finish())).toThrow(ProtocolError);
  });
});

describe('the id of a service class', () => {
  it('is formed like those of policies, and is none that a policy can have', () => {
    expect(classIdOf('h1', 200)).toBe('h1:200:h1');
    expect(isClassId('h1:200:h1')).toBe(true);
    expect(isClassId('h1:200:h2')).toBe(false);
    expect(isPolicyId('h1:200:h1', 'h1')).toBe(true);
  });
});
