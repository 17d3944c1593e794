import { Ajv, type Options } from 'ajv';
import type { FastifySchemaCompiler } from 'fastify';
import type { TSchema } from 'typebox';

/**
 * Fastify's default validator corrupts bodies (null becomes 0, "3" becomes 3, unknown members vanish). Here bodies are
 * taken as they are or refused; only path and query parameters, which are text by nature, are converted.
 */
const common: Options = {
  allErrors: false,
  removeAdditional: false,
  strict: true,
  allowUnionTypes: true,
  strictRequired: false,
  // carries the offending value and the failing schema to explain-validation.ts
  verbose: true,
};

const bodies = new Ajv({ ...common, coerceTypes: false, useDefaults: false });
// Conversion makes Infinity of "1e400", and strict numbers would leave that out of the check against minimum and maximum.
const parameters = new Ajv({ ...common, coerceTypes: true, useDefaults: true, strictNumbers: false });

export const compileValidator: FastifySchemaCompiler<TSchema> = ({ schema, httpPart }) =>
  (httpPart === 'body' ? bodies : parameters).compile(schema);
