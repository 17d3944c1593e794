import { describe, expect, it } from 'vitest';
import { refusal } from '../testing/refusal.js';
import { readYamlText } from './yaml-text.js';

describe('YAML', () => {
  it('reads maps, lists and scalars', () => {
    const text = 'a: [1, 0x10, -2.5, "3", true, ~]\nb:\n  - c: plain text # comment\n  - "10.0.0.0/8"\n';
    expect(JSON.parse(JSON.stringify(readYamlText(text).value))).toEqual({
      a: [1, 16, -2.5, '3', true, null],
      b: [{ c: 'plain text' }, '10.0.0.0/8'],
    });
  });

  it.each([
    ['a: &x 1\nb: *x\n', 1, 'anchors'],
    ['b: *x\na: 1\n', 1, 'lias'],
    ['a: !!binary aGk=\n', 1, 'tag'],
    ['a: !custom 1\n', 1, 'tag'],
    ['base: {x: 1}\na:\n  <<: {y: 2}\n  <<: {z: 2}\n', 4, 'given twice'],
    ['a: 1\nb: 2\na: 3\n', 3, 'given twice'],
    ['a: .nan\n', 1, 'finite'],
    ['a: 1\nb: -.inf\n', 2, 'finite'],
    ['a: 1e999\n', 1, 'finite'],
    ['1: a\n', 1, 'field name'],
    ['[a, b]: c\n', 1, 'field name'],
    ['a: 1\n---\nb: 2\n', 2, 'one document'],
    ['a: [1, 2\nb: 3\n', 2, 'flow'],
    ['a: 1\n\tb: 2\n', 2, 'tab'],
  ])('refuses %j', (text, line, message) => {
    const error = refusal(() => readYamlText(text));
    expect(error.message.toLowerCase()).toContain(message.toLowerCase());
    expect(error.line).toBe(line);
  });

  it('refuses a billion laughs without laughing', () => {
    const lines = Array.from({ length: 30 }, (_, i) => `a${i}: &a${i} [${`*a${i - 1}, `.repeat(9)}]`);
    expect(refusal(() => readYamlText(`a: &a-1 [x]\n${lines.join('\n')}`)).message).toContain('anchors');
  });

  it.each(['[', '{a: ', '- ', '? ', 'a: ', '? - ', '- - : '])('refuses %j nested 100,000 times', (open) => {
    for (const end of ['', '\nx: 1', ']']) refusal(() => readYamlText(open.repeat(100_000) + end));
  });

  it('refuses steps that only grow deeper', () => {
    const steps = Array.from({ length: 2_000 }, (_, i) => `${' '.repeat(i)}a:\n`).join('');
    expect(refusal(() => readYamlText(`${steps}b: 1\n`)).message).toContain('levels deep');
  });

  it('reads the same whatever version the file claims', () => {
    expect(JSON.parse(JSON.stringify(readYamlText('%YAML 1.1\n---\na: yes\nb: 0o17\n').value))).toEqual({
      a: 'yes',
      b: 15,
    });
  });

  it('knows the place of keys and values', () => {
    const source = readYamlText('a:\n  - b: 1\n    c: x\n');
    expect(
      source.locate([
        { pointer: '/a/0/c', part: 'key' },
        { pointer: '/a/0/c', part: 'value' },
        { pointer: '/a/0/missing', part: 'value' },
      ]),
    ).toEqual([
      { line: 3, column: 5 },
      { line: 3, column: 8 },
      { line: 2, column: 5 },
    ]);
  });
});
