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
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const FIRST_PRINTABLE = 0x20;
const BLANK = /[ \t\r\n]*/y;
const LITERAL = /true|false|null/y;

class JsonReader {
  readonly #text: string;
  readonly #visit: Visit | undefined;
  /** Keys and indices that lead to the present value; a pointer is made of them only when somebody needs it. */
  readonly #path: (string | number)[] = [];
  #offset = 0;

  constructor(text: string, visit?: Visit) {
    this.#text = text;
    this.#visit = visit;
  }

  read(): PlainValue {
    this.#match(BLANK);
    const value = this.#value(this.#offset);
    if (this.#offset < this.#text.length) throw this.#error('there is more text after the end of the document');
    return value;
  }

  #value(keyOffset: number): PlainValue {
    if (this.#path.length > maxDepth) throw this.#error(`nested more than ${maxDepth} levels deep`);
    this.#visit?.(this.#pointer(), keyOffset, this.#offset);
    const value = this.#unspaced();
    this.#match(BLANK);
    return value;
  }

  #unspaced(): PlainValue {
    switch (this.#text[this.#offset]) {
      case '{':
        return this.#object();
      case '[':
        return this.#array();
      case '"':
        return this.#string();
      default:
        return this.#numberOrLiteral();
    }
  }

  #object(): PlainValue {
    const object = Object.create(null) as Record<string, PlainValue>;
    if (this.#opensEmpty('}')) return object;
    for (;;) {
      const keyOffset = this.#offset;
      if (this.#text[keyOffset] !== '"') throw this.#error('expected a field name in double quotes');
      const key = this.#string();
      this.#path.push(key);
      if (key in object) throw syntaxError(this.#text, keyOffset, this.#pointer(), `"${key}" is given twice`);
      this.#match(BLANK);
      this.#expect(':');
      object[key] = this.#value(keyOffset);
      this.#path.pop();
      if (this.#text[this.#offset] === '}') break;
      this.#expect(',', 'expected "," or "}"');
    }
    this.#offset += 1;
    return object;
  }

  #array(): PlainValue {
    const array: PlainValue[] = [];
    if (this.#opensEmpty(']')) return array;
    for (;;) {
      this.#path.push(array.length);
      array.push(this.#value(this.#offset));
      this.#path.pop();
      if (this.#text[this.#offset] === ']') break;
      this.#expect(',', 'expected "," or "]"');
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

  /** By hand, because a regular expression overflows the stack on a text of some megabytes. */
  #string(): string {
    let end = this.#offset + 1;
    for (let code = this.#text.charCodeAt(end); code !== QUOTE; code = this.#text.charCodeAt(end)) {
      if (!(code >= FIRST_PRINTABLE)) throw this.#error('this text does not end, or has a control character in it');
      end += code === BACKSLASH ? 2 : 1;
    }
    const literal = this.#text.slice(this.#offset, end + 1);
    try {
      const value = JSON.parse(literal) as string;
      this.#offset = end + 1;
      return value;
    } catch {
      throw this.#error('this text has an unknown escape in it');
    }
  }

  #numberOrLiteral(): PlainValue {
    const number = this.#match(NUMBER);
    if (number !== undefined) {
      const value = Number(number);
      if (!Number.isFinite(value)) throw this.#error(`${number} is out of range`);
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
        throw this.#error('expected a value');
    }
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#offset;
    const found = pattern.exec(this.#text)?.[0];
    if (found !== undefined) this.#offset += found.length;
    return found;
  }

  #expect(character: string, message = `expected "${character}"`): void {
    if (this.#text[this.#offset] !== character) throw this.#error(message);
    this.#offset += 1;
    this.#match(BLANK);
  }

  #pointer(): string {
    return this.#path.reduce<string>(pointerTo, '');
  }

  #error(message: string): Error {
    return syntaxError(this.#text, this.#offset, this.#pointer(), message);
  }
}
