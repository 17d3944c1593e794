/**
 * A set of field paths in the very form that metadata.managedFields shows (FieldsV1): each key is one step, `f:name` a
 * field, `k:{"name":"a"}` an item of a map-list, `v:1` an item of a set. A path is in the set when its node has nothing
 * below it, or holds `.`. The node at the top is never a path itself.
 */
export interface FieldSet {
  readonly [step: string]: FieldSet;
}

export const EMPTY: FieldSet = {};
const SELF = '.';

/** A node with these steps below it, in the set itself or not; undefined when that is no path at all. */
export function node(member: boolean, below: FieldSet): FieldSet | undefined {
  if (isEmpty(below)) return member ? EMPTY : undefined;
  return member ? { [SELF]: EMPTY, ...below } : below;
}

export function isEmpty(set: FieldSet): boolean {
  for (const _ in set) return false;
  return true;
}

/** Whether the path of this node, which is not the top, is in the set. */
export function isMember(at: FieldSet): boolean {
  return Object.hasOwn(at, SELF) || isEmpty(at);
}

/** The steps below a node. */
export function stepsBelow(at: FieldSet): readonly string[] {
  return Object.keys(at).filter((step) => step !== SELF);
}

export function union(a: FieldSet, b: FieldSet): FieldSet {
  return combine(a, b, (inA, inB) => inA || inB);
}

export function difference(a: FieldSet, b: FieldSet): FieldSet {
  return combine(a, b, (inA, inB) => inA && !inB);
}

export function intersection(a: FieldSet, b: FieldSet): FieldSet {
  return combine(a, b, (inA, inB) => inA && inB);
}

type Rule = (inA: boolean, inB: boolean) => boolean;

function combine(a: FieldSet, b: FieldSet, rule: Rule): FieldSet {
  const result: Record<string, FieldSet> = {};
  const steps = new Set([...stepsBelow(a), ...stepsBelow(b)]);
  for (const step of steps) {
    const [left, right] = [a[step], b[step]];
    // What only one side has is kept or dropped whole.
    if (left === undefined || right === undefined) {
      const only = left ?? right;
      if (only !== undefined && rule(right === undefined, left === undefined)) result[step] = only;
      continue;
    }
    const combined = node(rule(isMember(left), isMember(right)), combine(left, right, rule));
    if (combined !== undefined) result[step] = combined;
  }
  return result;
}

/** The paths as Kubernetes tells them in conflicts: `.spec.lists[name="a"].weight`. */
export function pathsOf(set: FieldSet, prefix = ''): readonly string[] {
  return stepsBelow(set).flatMap((step) => {
    const path = `${prefix}${wordOf(step)}`;
    const below = set[step] ?? EMPTY;
    return [...(isMember(below) ? [path] : []), ...pathsOf(below, path)];
  });
}

function wordOf(step: string): string {
  const text = step.slice(2);
  if (step.startsWith('f:')) return `.${text}`;
  if (!step.startsWith('k:')) return `[=${text}]`;
  const keys = Object.entries(JSON.parse(text) as Record<string, unknown>);
  return `[${keys.map(([key, value]) => `${key}=${JSON.stringify(value)}`).join(',')}]`;
}
