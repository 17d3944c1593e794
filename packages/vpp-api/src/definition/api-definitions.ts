import type { Codec } from '../codec/codec.js';
import {
  countedArray,
  countedBytes,
  enumCodec,
  fixedArray,
  fixedBytes,
  structCodec,
  unionCodec,
  type CountedCodec,
  type FieldCodec,
} from '../codec/compounds.js';
import { fixedString, longString, scalars, textTypes } from '../codec/scalars.js';
import { VppDefinitionError } from '../errors.js';
import type { ApiFile, FieldDefinition, ServiceDefinition } from './api-file.js';
import { MessageCodec } from './message-codec.js';

/** Deeper than any definition of VPP's; what refers to itself is refused. */
const MAX_DEPTH = 32;

/** All messages that a set of files defines. What is wrong with one message is said when it is used, not before. */
export class ApiDefinitions {
  readonly #messages = new Map<string, ApiFile['messages'][number]>();
  readonly #services = new Map<string, ServiceDefinition>();
  readonly #structs = new Map<string, ApiFile['structs'][number]>();
  readonly #unions = new Map<string, ApiFile['unions'][number]>();
  readonly #enums = new Map<string, ApiFile['enums'][number]>();
  readonly #aliases = new Map<string, { readonly type: string; readonly length: number | undefined }>();
  readonly #compiled = new Map<string, MessageCodec>();

  constructor(files: readonly ApiFile[]) {
    for (const file of files) {
      // Files repeat what they import; the names are global in VPP.
      for (const message of file.messages) this.#messages.set(message.name, message);
      for (const struct of file.structs) this.#structs.set(struct.name, struct);
      for (const union of file.unions) this.#unions.set(union.name, union);
      for (const definition of file.enums) this.#enums.set(definition.name, definition);
      for (const [name, alias] of file.aliases) this.#aliases.set(name, alias);
      for (const [request, service] of file.services) this.#services.set(request, service);
    }
  }

  /** Sorted. */
  messageNames(): string[] {
    return [...this.#messages.keys()].sort();
  }

  has(message: string): boolean {
    return this.#messages.has(message);
  }

  /** Throws VppDefinitionError when there is no such message, or its definition makes no sense. */
  message(name: string): MessageCodec {
    let codec = this.#compiled.get(name);
    if (codec === undefined) {
      const definition = this.#messages.get(name);
      if (definition === undefined) throw new VppDefinitionError(`no definition has a message ${name}`);
      codec = new MessageCodec(definition, this.#fields(definition.fields, name, 0));
      this.#compiled.set(name, codec);
    }
    return codec;
  }

  /** How a request is answered. Without a service in the file: by `<name>_reply`. */
  service(request: string): ServiceDefinition {
    const reply = `${request}_reply`;
    const isAnswered = this.#messages.has(reply);
    return (
      this.#services.get(request) ?? {
        reply: isAnswered ? reply : undefined,
        isDump: false,
        streamMessage: undefined,
        events: [],
      }
    );
  }

  #fields(fields: readonly FieldDefinition[], owner: string, depth: number): FieldCodec[] {
    return fields.map((field) => {
      const codec = this.#field(field, `${owner}.${field.name}`, depth);
      return { name: field.name, codec, default: presetOf(field) };
    });
  }

  #field({ type, length, countField }: FieldDefinition, at: string, depth: number): Codec | CountedCodec {
    if (countField !== undefined) {
      return type === 'u8' ? countedBytes(countField) : countedArray(this.#type(type, at, depth), countField);
    }
    if (type === 'string') return length === undefined || length === 0 ? longString : fixedString(length);
    if (length === undefined) return this.#type(type, at, depth);
    if (length === 0) throw new VppDefinitionError(`${at}: an array without a length or a count`);
    return type === 'u8' ? fixedBytes(length) : fixedArray(this.#type(type, at, depth), length);
  }

  #type(type: string, at: string, depth: number): Codec {
    if (depth > MAX_DEPTH) throw new VppDefinitionError(`${at}: types are nested more than ${MAX_DEPTH} deep`);
    const scalar = scalars.get(type);
    if (scalar !== undefined) return scalar;
    const name = /^vl_api_(.+)_t$/.exec(type)?.[1] ?? type;
    const textType = textTypes.get(name);
    if (textType !== undefined) return textType;
    const alias = this.#aliases.get(name);
    if (alias !== undefined) {
      const { type: aliased, length } = alias;
      const codec = this.#field(
        { type: aliased, name, length, countField: undefined, default: undefined },
        at,
        depth + 1,
      );
      return codec as Codec;
    }
    const definition = this.#enums.get(name);
    if (definition !== undefined) {
      const base = scalars.get(definition.base);
      if (base === undefined) throw new VppDefinitionError(`${at}: ${definition.base} is no integer type`);
      return enumCodec(definition, base);
    }
    const struct = this.#structs.get(name);
    if (struct !== undefined) return structCodec(this.#fields(struct.fields, at, depth + 1));
    const union = this.#unions.get(name);
    if (union !== undefined) {
      const members = union.fields.map((field) => ({ name: field.name, codec: this.#type(field.type, at, depth + 1) }));
      return unionCodec(members);
    }
    throw new VppDefinitionError(`${at}: no definition has a type ${type}`);
  }
}

/** Defaults of flags are texts in some files. */
function presetOf({ type, default: preset }: FieldDefinition): unknown {
  if (type !== 'bool') return preset;
  if (preset === 'true' || preset === 'false') return preset === 'true';
  return typeof preset === 'number' ? preset !== 0 : preset;
}
