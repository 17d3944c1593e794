import type { ErrorObject } from 'ajv';

/** What is wrong, in words, and where. */
export interface Explanation {
  /** JSON pointer into the validated value. */
  readonly pointer: string;
  readonly detail: string;
}

interface Branch {
  readonly properties?: Readonly<Record<string, { readonly const?: unknown }>>;
}

/**
 * Turns Ajv's errors (of a run with `verbose` and without `allErrors`) into the one thing that is wrong. Of a union it
 * follows the branch that the value's `kind` or `status` chooses, or else the branch that got furthest.
 */
export function explainErrors(errors: readonly ErrorObject[]): Explanation {
  const last = errors.at(-1);
  if (last === undefined) return { pointer: '', detail: 'the value does not fit its schema' };
  return last.keyword === 'anyOf' ? explainUnion(last, errors.slice(0, -1)) : explainOne(last);
}

function explainUnion(union: ErrorObject, inner: readonly ErrorObject[]): Explanation {
  const branches = union.schema as readonly Branch[];
  const errorsOf = branches.map((_, i) => inner.filter((error) => isUnder(error, `${union.schemaPath}/${String(i)}`)));
  const tag = branches[0]?.properties?.['kind'] === undefined ? 'status' : 'kind';
  const constants = branches.map((branch) => branch.properties?.[tag]?.const);
  if (constants.every((constant) => constant !== undefined) && isRecord(union.data)) {
    const chosenBy = union.data[tag];
    const chosen = errorsOf[constants.findIndex((constant) => constant === chosenBy)];
    if (chosen !== undefined) return explainErrors(chosen);
    return {
      pointer: `${union.instancePath}/${tag}`,
      detail: `must be one of ${quoteAll(constants)}${got(chosenBy)}`,
    };
  }
  const explanations = errorsOf.filter((list) => list.length > 0).map((list) => explainErrors(list));
  const deepest = explanations.reduce<Explanation | undefined>(
    (best, next) => (best === undefined || next.pointer.length > best.pointer.length ? next : best),
    undefined,
  );
  if (deepest !== undefined && deepest.pointer.length > union.instancePath.length) return deepest;
  const expectations = inner.map((error) => expectation(error));
  return {
    pointer: union.instancePath,
    detail: `${[...new Set(expectations)].join(', or ')}${got(union.data)}`,
  };
}

// Ajv names a branch by `<path of the union>/<index>/…`; a schema of its own would start a new path, but there are none.
function isUnder(error: ErrorObject, path: string): boolean {
  return error.schemaPath.startsWith(`${path}/`);
}

function explainOne(error: ErrorObject): Explanation {
  const member = memberNamed(error);
  if (member !== undefined) {
    const pointer = `${error.instancePath}/${member.replaceAll('~', '~0').replaceAll('/', '~1')}`;
    return { pointer, detail: error.keyword === 'required' ? 'is missing' : 'is not a known member' };
  }
  return { pointer: error.instancePath, detail: `${expectation(error)}${got(error.data)}` };
}

function memberNamed(error: ErrorObject): string | undefined {
  const params = error.params as Readonly<Record<string, unknown>>;
  const name = error.keyword === 'required' ? params['missingProperty'] : params['additionalProperty'];
  return typeof name === 'string' ? name : undefined;
}

function expectation(error: ErrorObject): string {
  if (error.keyword === 'enum') return `must be one of ${quoteAll(error.schema as readonly unknown[])}`;
  if (error.keyword === 'const') return `must be ${JSON.stringify(error.schema)}`;
  return error.message ?? 'does not fit';
}

function quoteAll(values: readonly unknown[]): string {
  return values.map((value) => JSON.stringify(value)).join(', ');
}

function got(value: unknown): string {
  if (value === undefined) return '';
  if (Array.isArray(value)) return `, not a list of ${String(value.length)}`;
  if (isRecord(value)) return ', not an object';
  const text = JSON.stringify(value);
  return `, not ${text.length > 100 ? `${text.slice(0, 100)}…` : text}`;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
