import { isJsonObject } from './kube-object.js';

type Step =
  | { readonly kind: 'field'; readonly name: string }
  | { readonly kind: 'index'; readonly index: number }
  | { readonly kind: 'all' }
  | { readonly kind: 'filter'; readonly path: readonly Step[]; readonly operator: string; readonly value: string };

const STEP =
  /\.([A-Za-z0-9_-]+(?:\\\.[A-Za-z0-9_/-]+)*)|\['([^']+)'\]|\["([^"]+)"\]|\[(-?\d+)\]|(\[\*\]|\.\*)|\[\?\(\s*@([^=!)]+?)\s*(==|!=)\s*(?:"([^"]*)"|'([^']*)'|([^)\s]+))\s*\)\]/y;

/**
 * The part of kubectl's JSONPath that printer columns use: fields, indexes, `[*]` and filters on equality.
 * @throws SyntaxError for anything else
 */
export function parseJsonPath(path: string): readonly Step[] {
  const steps: Step[] = [];
  const text = path.startsWith('.') || path.startsWith('[') ? path : `.${path}`;
  // Its own position: a filter is read by a call inside.
  const step = new RegExp(STEP);
  while (step.lastIndex < text.length) {
    const at = step.lastIndex;
    const match = step.exec(text);
    if (match === null) throw new SyntaxError(`${path}: not understood from ${text.slice(at)}`);
    const [, field, single, double, index, all, filter, operator, quoted, alsoQuoted, bare] = match;
    const name = field?.replaceAll('\\.', '.') ?? single ?? double;
    if (name !== undefined) steps.push({ kind: 'field', name });
    else if (index !== undefined) steps.push({ kind: 'index', index: Number(index) });
    else if (all !== undefined) steps.push({ kind: 'all' });
    else {
      const value = quoted ?? alsoQuoted ?? bare ?? '';
      steps.push({ kind: 'filter', path: parseJsonPath(filter ?? ''), operator: operator ?? '==', value });
    }
  }
  return steps;
}

/** Everything that the path leads to. */
export function valuesAt(value: unknown, steps: readonly Step[]): readonly unknown[] {
  return steps.reduce<readonly unknown[]>((found, step) => found.flatMap((inner) => follow(inner, step)), [value]);
}

function follow(value: unknown, step: Step): readonly unknown[] {
  switch (step.kind) {
    case 'field':
      return isJsonObject(value) && value[step.name] !== undefined ? [value[step.name]] : [];
    case 'index': {
      if (!Array.isArray(value)) return [];
      const item: unknown = value.at(step.index);
      return item === undefined ? [] : [item];
    }
    case 'all':
      return Array.isArray(value) ? (value as unknown[]) : isJsonObject(value) ? Object.values(value) : [];
    case 'filter': {
      const items: readonly unknown[] = Array.isArray(value) ? value : [];
      const matches = (item: unknown): boolean =>
        valuesAt(item, step.path).some((found) => asText(found) === step.value);
      return items.filter((item) => matches(item) === (step.operator === '=='));
    }
  }
}

function asText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
