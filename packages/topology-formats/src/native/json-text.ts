import {
  maxDepth,
  parentPointer,
  pointerTo,
  positionAt,
  syntaxError,
  type Place,
  type PlainValue,
  type Position,
  type SourceText,
} from './source-text.js';

/**
 * Strict JSON (RFC 8259). The built-in parser neither says where a value stood nor notices a key that is given twice,
 * and it sets `__proto__`; hence a reader of our own. Offsets are gathered by reading a second time, only after
 * something was found wrong. Throws TopologyFormatError.
 */
export function readJsonText(text: string): SourceText {
  return {
    value: new JsonReader(text).read(),
    locate: (places) => locate(text, places),
  };
}

function locate(text: string, places: readonly Place[]): Position[] {
  const offsets = new Map<string, { key: number; value: number }>();
  new JsonReader(text, (pointer, key, value) => offsets.set(pointer, { key, value })).read();
  return places.map(({ pointer, part }) => {
    let at = pointer;
    while (!offsets.has(at) && at !== '') at = parentPointer(at);
    const found = offsets.get(at);
    return positionAt(text, found === undefined ? 0 : at === pointer ? found[part] : found.value);
  });
}

type Visit = (pointer: string, keyOffset: number, valueOffset: number) => void;

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const STRING = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
const BLANK = /[ \t\r\n]*/y;
const LITERAL = /true|false|null/y;

class JsonReader {
  readonly #text: string;
  readonly #visit: Visit | undefined;
  #offset = 0;

  constructor(text: string, visit?: Visit) {
    this.#text = text;
    this.#visit = visit;
  }

  read(): PlainValue {
    this.#match(BLANK);
    const value = this.#value('', this.#offset, 0);
    if (this.#offset < this.#text.length) throw this.#error('', 'there is more text after the end of the document');
    return value;
  }

  #value(pointer: string, keyOffset: number, depth: number): PlainValue {
    if (depth > maxDepth) throw this.#error(pointer, `nested more than ${maxDepth} levels deep`);
    this.#visit?.(pointer, keyOffset, this.#offset);
    const value = this.#unspaced(pointer, depth);
    this.#match(BLANK);
    return value;
  }

  #unspaced(pointer: string, depth: number): PlainValue {
    switch (this.#text[this.#offset]) {
      case '{':
        return this.#object(pointer, depth);
      case '[':
        return this.#array(pointer, depth);
      case '"':
        return this.#string(pointer);
      default:
        return this.#numberOrLiteral(pointer);
    }
  }

  #object(pointer: string, depth: number): PlainValue {
    const object = Object.create(null) as Record<string, PlainValue>;
    if (this.#opensEmpty('}')) return object;
    for (;;) {
      const keyOffset = this.#offset;
      if (this.#text[keyOffset] !== '"') throw this.#error(pointer, 'expected a field name in double quotes');
      const key = this.#string(pointer);
      const child = pointerTo(pointer, key);
      if (key in object) throw syntaxError(this.#text, keyOffset, child, `"${key}" is given twice`);
      this.#match(BLANK);
      this.#expect(':', child);
      object[key] = this.#value(child, keyOffset, depth + 1);
      if (this.#text[this.#offset] === '}') break;
      this.#expect(',', pointer, 'expected "," or "}"');
    }
    this.#offset += 1;
    return object;
  }

  #array(pointer: string, depth: number): PlainValue {
    const array: PlainValue[] = [];
    if (this.#opensEmpty(']')) return array;
    for (;;) {
      array.push(this.#value(pointerTo(pointer, array.length), this.#offset, depth + 1));
      if (this.#text[this.#offset] === ']') break;
      this.#expect(',', pointer, 'expected "," or "]"');
    }
    this.#offset += 1;
    return array;
  }

  /** Steps over the opening bracket; true when the closing one follows, which it steps over too. */
  #opensEmpty(close: string): boolean {
    this.#offset += 1;
    this.#match(BLANK);
    if (this.#text[this.#offset] !== close) return false;
    this.#offset += 1;
    return true;
  }

  #string(pointer: string): string {
    const literal = this.#match(STRING);
    if (literal === undefined) {
      throw this.#error(pointer, 'this text does not end, or has a control character or an unknown escape in it');
    }
    return JSON.parse(literal) as string;
  }

  #numberOrLiteral(pointer: string): PlainValue {
    const number = this.#match(NUMBER);
    if (number !== undefined) {
      const value = Number(number);
      if (!Number.isFinite(value)) throw this.#error(pointer, `${number} is out of range`);
      return value;
    }
    switch (this.#match(LITERAL)) {
      case 'true':
        return true;
      case 'false':
        return false;
      case 'null':
        return null;
      default:
        throw this.#error(pointer, 'expected a value');
    }
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#offset;
    const found = pattern.exec(this.#text)?.[0];
    if (found !== undefined) this.#offset += found.length;
    return found;
  }

  #expect(character: string, pointer: string, message = `expected "${character}"`): void {
    if (this.#text[this.#offset] !== character) throw this.#error(pointer, message);
    this.#offset += 1;
    this.#match(BLANK);
  }

  #error(pointer: string, message: string): Error {
    return syntaxError(this.#text, this.#offset, pointer, message);
  }
}
