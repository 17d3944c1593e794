import type { ApiDefinitions } from '../definition/api-definitions.js';
import type { MessageCodec } from '../definition/message-codec.js';
import { VppIncompatibleError } from '../errors.js';

export interface TableEntry {
  readonly index: number;
  /** `<name>_<crc>` */
  readonly name: string;
}

/** A message that this VPP has, with the number it has there. */
export interface KnownMessage {
  readonly id: number;
  readonly codec: MessageCodec;
}

/** The running VPP's messages: numbers depend on its plugins, so they are looked up by name and CRC. */
export class MessageTable {
  readonly #ids: ReadonlyMap<string, number>;
  readonly #keys: ReadonlyMap<number, string>;
  readonly #definitions: ApiDefinitions;
  readonly #found = new Map<number, KnownMessage | undefined>();

  constructor(entries: readonly TableEntry[], definitions: ApiDefinitions) {
    this.#ids = new Map(entries.map(({ index, name }) => [name, index]));
    this.#keys = new Map(entries.map(({ index, name }) => [index, name]));
    this.#definitions = definitions;
  }

  /** `<name>_<crc>` of all messages, sorted. */
  names(): string[] {
    return [...this.#ids.keys()].sort();
  }

  /** The same VPP, with other definitions. */
  with(definitions: ApiDefinitions): MessageTable {
    return new MessageTable(
      [...this.#ids].map(([name, index]) => ({ index, name })),
      definitions,
    );
  }

  /** Throws VppDefinitionError for a message without definition, VppIncompatibleError when VPP has not this version of it. */
  find(name: string): KnownMessage {
    const codec = this.#definitions.message(name);
    const id = this.#ids.get(codec.key);
    if (id !== undefined) return { id, codec };
    const other = [...this.#ids.keys()].find((key) => nameOf(key) === name);
    throw new VppIncompatibleError(
      other === undefined
        ? `this VPP has no message ${name}; is its plugin loaded?`
        : `this VPP has ${name} as ${other}, but the definition at hand is ${codec.key}`,
    );
  }

  /** The message with this number; undefined when it has no definition that fits. */
  byId(id: number): KnownMessage | undefined {
    if (!this.#found.has(id)) this.#found.set(id, this.#lookUp(id));
    return this.#found.get(id);
  }

  #lookUp(id: number): KnownMessage | undefined {
    const key = this.#keys.get(id);
    if (key === undefined) return undefined;
    const name = nameOf(key);
    if (!this.#definitions.has(name)) return undefined;
    const codec = this.#definitions.message(name);
    return codec.key === key ? { id, codec } : undefined;
  }
}

/** Names may end in something that looks like a CRC; the last underscore is the one that counts. */
function nameOf(key: string): string {
  return key.slice(0, key.lastIndexOf('_'));
}
