import { Composer, isAlias, isMap, isScalar, isSeq, Lexer, Parser, type CST, type Node } from 'yaml';
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
 * The part of YAML 1.2 that says what JSON says: no anchors, aliases, tags, merge keys or second documents, so that a
 * short text cannot stand for a huge value. Throws TopologyFormatError.
 */
export function readYamlText(text: string): SourceText {
  const document = compose(text);
  const offsets = new Map<string, { key: number; value: number }>();
  const value = new YamlReader(text, offsets).value(document, '', 0, 0);
  return { value, locate: (places) => locate(text, offsets, places) };
}

type Offsets = Map<string, { key: number; value: number }>;

function compose(text: string): Node | null {
  // Duplicate keys are found by YamlReader: the library compares every pair of keys of a map.
  const composer = new Composer({ schema: 'core', merge: false, uniqueKeys: false, prettyErrors: false });
  const [document, second] = composer.compose(shallowTokens(text), true, text.length);
  const [error] = document?.errors ?? [];
  if (error !== undefined) throw syntaxError(text, error.pos[0], '', error.message);
  if (second !== undefined) throw syntaxError(text, second.range[0], '', 'one file holds one document');
  return document?.contents ?? null;
}

/**
 * The parser's tokens, refused as soon as they nest too deeply: composing them recurses, and a stack that overflows
 * inside a regular expression takes the whole process with it.
 */
function* shallowTokens(text: string): Generator<CST.Token, void> {
  const parser = new Parser();
  for (const lexeme of new Lexer().lex(text)) {
    yield* parser.next(lexeme);
    if (parser.stack.length > maxOpenTokens) {
      throw syntaxError(text, parser.offset, '', `nested more than ${maxDepth} levels deep`);
    }
  }
  yield* parser.end();
}

/** A level of nesting opens up to three tokens. */
const maxOpenTokens = 3 * maxDepth;

function locate(text: string, offsets: Offsets, places: readonly Place[]): Position[] {
  return places.map(({ pointer, part }) => {
    let at = pointer;
    while (!offsets.has(at) && at !== '') at = parentPointer(at);
    const found = offsets.get(at);
    return positionAt(text, found === undefined ? 0 : at === pointer ? found[part] : found.value);
  });
}

class YamlReader {
  readonly #text: string;
  readonly #offsets: Offsets;

  constructor(text: string, offsets: Offsets) {
    this.#text = text;
    this.#offsets = offsets;
  }

  value(node: Node | null, pointer: string, keyOffset: number, depth: number): PlainValue {
    const offset = node?.range?.[0] ?? keyOffset;
    this.#offsets.set(pointer, { key: keyOffset, value: offset });
    if (node === null) return null;
    const refuse = (message: string): Error => syntaxError(this.#text, offset, pointer, message);
    if (depth > maxDepth) throw refuse(`nested more than ${maxDepth} levels deep`);
    if (isAlias(node)) throw refuse('aliases are not read here: write the value out');
    if (node.anchor !== undefined) throw refuse('anchors are not read here: write the value out where it is needed');
    if (node.tag !== undefined) throw refuse(`the tag ${node.tag} is not read here`);
    if (isMap(node)) return this.#map(node.items, pointer, depth);
    if (isSeq(node)) {
      return node.items.map((item, i) => this.value(item as Node | null, pointerTo(pointer, i), offset, depth + 1));
    }
    const value = isScalar(node) ? node.value : undefined;
    if (typeof value === 'number' && !Number.isFinite(value)) throw refuse(`${String(value)} is not a finite number`);
    if (value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') {
      return value;
    }
    throw refuse('expected text, a number, true, false, a list or named fields');
  }

  #map(items: readonly { key: unknown; value: unknown }[], pointer: string, depth: number): PlainValue {
    const object = Object.create(null) as Record<string, PlainValue>;
    for (const { key: keyNode, value } of items) {
      const key = keyNode as Node;
      const keyOffset = key.range?.[0] ?? 0;
      if (!isScalar(key) || typeof key.value !== 'string') {
        throw syntaxError(this.#text, keyOffset, pointer, 'expected a field name');
      }
      if (key.anchor !== undefined || key.tag !== undefined) {
        throw syntaxError(this.#text, keyOffset, pointer, 'anchors and tags are not read here');
      }
      const child = pointerTo(pointer, key.value);
      if (key.value in object) throw syntaxError(this.#text, keyOffset, child, `"${key.value}" is given twice`);
      object[key.value] = this.value(value as Node | null, child, keyOffset, depth + 1);
    }
    return object;
  }
}
