import type { FastifyBaseLogger, FastifyInstance, FastifyTypeProvider, RawServerDefault } from 'fastify';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Static, TSchema } from 'typebox';

type DeepReadonly<T> = T extends (infer Item)[]
  ? readonly DeepReadonly<Item>[]
  : T extends object
    ? { readonly [Key in keyof T]: DeepReadonly<T[Key]> }
    : T;

/** A body with a schema per media type. */
interface ByMediaType<Schema extends TSchema> {
  readonly content: Readonly<Record<string, { readonly schema: Schema }>>;
}

/**
 * Derives the types of requests and replies from TypeBox schemas. Unlike the provider of
 * `@fastify/type-provider-typebox`, replies may be readonly, as all data of Waymark's services is.
 */
export interface SchemaTypeProvider extends FastifyTypeProvider {
  readonly validator: this['schema'] extends ByMediaType<infer Schema>
    ? Static<Schema>
    : this['schema'] extends TSchema
      ? Static<this['schema']>
      : unknown;
  readonly serializer: this['schema'] extends TSchema ? DeepReadonly<Static<this['schema']>> : unknown;
}

/** The HTTP application, typed by its schemas. */
export type ApiApp = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  SchemaTypeProvider
>;
