import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';

/** The parts of the OpenAPI document that the contract test reads. */
export type Schema = Readonly<Record<string, unknown>>;

export interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly required: boolean;
  readonly schema: Schema;
  readonly example?: string | number;
}

export interface MediaType {
  readonly schema: Schema;
  readonly examples?: Readonly<Record<string, { readonly summary: string; readonly value: unknown }>>;
}

export interface Operation {
  readonly method: string;
  readonly path: string;
  readonly operationId: string;
  readonly parameters: readonly Parameter[];
  readonly requestBody?: { readonly content: Readonly<Record<string, MediaType>> };
  readonly responses: Readonly<
    Record<
      string,
      { readonly content?: Readonly<Record<string, MediaType>>; readonly headers?: Readonly<Record<string, unknown>> }
    >
  >;
}

interface RawDocument {
  readonly paths: Readonly<
    Record<
      string,
      Readonly<
        Record<string, Omit<Operation, 'method' | 'path' | 'parameters'> & Partial<Pick<Operation, 'parameters'>>>
      >
    >
  >;
}

export class OpenApiDocument {
  readonly operations: readonly Operation[];
  readonly #document: Schema;
  readonly #ajv: Ajv2020;
  readonly #validators = new Map<Schema, ValidateFunction>();

  constructor(document: Schema) {
    this.#document = document;
    this.#ajv = new Ajv2020({ strict: false, allErrors: false });
    this.#ajv.addSchema({ $id: 'document', ...document });
    this.operations = Object.entries((document as unknown as RawDocument).paths).flatMap(([path, item]) =>
      Object.entries(item).map(([method, operation]) => ({
        parameters: [],
        ...operation,
        method: method.toUpperCase(),
        path,
      })),
    );
  }

  /** The schema that a `$ref` names, or the schema itself. */
  resolve(schema: Schema): Schema {
    const reference = schema['$ref'];
    if (typeof reference !== 'string') return schema;
    const steps = reference.slice(2).split('/');
    return steps.reduce((value, step) => value[step] as Schema, this.#document);
  }

  /** Why the value does not fit the schema; undefined when it does. */
  misfit(schema: Schema, value: unknown): string | undefined {
    const known = this.#validators.get(schema);
    const validate = known ?? this.#ajv.compile(withAbsoluteReferences(schema));
    this.#validators.set(schema, validate);
    return validate(value) ? undefined : this.#ajv.errorsText(validate.errors);
  }
}

function withAbsoluteReferences(schema: Schema): Schema {
  return JSON.parse(JSON.stringify(schema).replaceAll('"#/components', '"document#/components')) as Schema;
}
