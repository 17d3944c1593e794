import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mutated } from '../testing/mutated-text.js';
import { refusal } from '../testing/refusal.js';
import { TopologyFormatError } from '../topology-format-error.js';
import { readJsonText } from './json-text.js';

/** As the built-in parser has it, but without prototypes. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value)) as unknown;
}

describe('JSON', () => {
  it('gives what the built-in parser gives', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 5 }), fc.integer({ min: 0, max: 3 }), (text, indent) => {
        const spaced = JSON.stringify(JSON.parse(text), null, indent);
        expect(plain(readJsonText(spaced).value)).toEqual(JSON.parse(spaced));
      }),
    );
  });

  it('is accepted and refused as by the built-in parser, apart from keys that are given twice', () => {
    const text = '{ "a": [1, -0.5e3, "x\\u00e9\\n", true, null, {}], "b": { "c": [] }, "d": "" }';
    const pieces = ['{', '}', '[', ']', ',', ':', '"', '\\', 'e', '.', '-', '0', '01', 'nul', '\t', '\u0001', '1e999'];
    fc.assert(
      fc.property(mutated(text, pieces), (changed) => {
        let expected: unknown;
        try {
          expected = JSON.parse(changed);
        } catch {
          expect(() => readJsonText(changed)).toThrow(TopologyFormatError);
          return;
        }
        try {
          expect(plain(readJsonText(changed).value)).toEqual(plain(expected));
        } catch (error) {
          if (!(error instanceof TopologyFormatError)) throw error;
          expect(error.message).toMatch(/given twice|out of range/);
        }
      }),
      { numRuns: 400 },
    );
  });

  it.each([
    ['{\n  "a": 1,\n  "a": 2\n}', 3, 3, '/a', 'given twice'],
    ['{\n  "a": [1,\n    2,]\n}', 3, 7, '/a/2', 'expected a value'],
    ['{ "x/y~": 1e400 }', 1, 16, '/x~1y~0', 'out of range'],
    ['{ "a": 1 } x', 1, 12, '', 'more text'],
    ['{ "a" 1 }', 1, 7, '/a', 'expected ":"'],
    ['{ "a": "tab\there" }', 1, 8, '/a', 'control character'],
  ])('says where %j is wrong', (text, line, column, field, message) => {
    expect(refusal(() => readJsonText(text))).toMatchObject({
      line,
      column,
      field,
      message: expect.stringContaining(message) as string,
    });
  });

  it('refuses deep nesting before it endangers the stack', () => {
    expect(refusal(() => readJsonText('{"a":'.repeat(200_000))).message).toContain('levels deep');
  });

  it('reads texts of many megabytes', () => {
    const long = 'x\\n'.repeat(5_000_000);
    expect(readJsonText(`{"a": "${long}"}${' '.repeat(20_000_000)}`).value).toMatchObject({
      a: expect.any(String) as string,
    });
    expect(refusal(() => readJsonText(`["${long}`)).message).toContain('does not end');
  });

  it('does not let a file reach the prototype of objects', () => {
    const { value } = readJsonText('{ "__proto__": { "polluted": true } }');
    expect(Object.keys(value as object)).toEqual(['__proto__']);
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });

  it('finds keys, values, and the nearest parent of what is missing', () => {
    const source = readJsonText('{\n  "a": {\n    "b": 1\n  }\n}');
    expect(
      source.locate([
        { pointer: '/a/b', part: 'key' },
        { pointer: '/a/b', part: 'value' },
        { pointer: '/a/c/d', part: 'value' },
      ]),
    ).toEqual([
      { line: 3, column: 5 },
      { line: 3, column: 10 },
      { line: 2, column: 8 },
    ]);
  });
});
