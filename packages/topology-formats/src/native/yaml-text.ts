import { isAlias, isMap, isScalar, isSeq, parseDocument, type Node } from 'yaml';
import { TopologyFormatError } from '../topology-format-error.js';
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
  let document;
  try {
    // Duplicate keys are found by YamlReader: the library compares every pair of keys of a map.
    document = parseDocument(text, { schema: 'core', merge: false, uniqueKeys: false, prettyErrors: false });
  } catch (error) {
    // The composer recurses, and has no limit of its own.
    if (!(error instanceof RangeError)) throw error;
    throw new TopologyFormatError({ line: null, column: null, field: '', message: 'nested too deeply' });
  }
  const [first] = document.errors;
  if (first !== undefined) throw syntaxError(text, first.pos[0], '', first.message);
  return document.contents;
}

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
