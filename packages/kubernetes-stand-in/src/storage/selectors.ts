import { badRequest } from '../model/api-error.js';
import type { KubeObject } from '../model/kube-object.js';

export type Selector = (object: KubeObject) => boolean;

const SET_REQUIREMENT = /^([^\s!=,()]+)\s+(in|notin)\s+\(([^)]*)\)$/;

/** Splits at commas outside parentheses. */
function requirements(text: string): readonly string[] {
  return text
    .split(/,(?![^(]*\))/)
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

/** A label selector: `a=b,c!=d,e in (f,g),h notin (i),j,!k`. */
export function labelSelector(text: string): Selector {
  const tests = requirements(text).map(labelRequirement);
  return ({ metadata: { labels = {} } }) => tests.every((test) => test(labels));
}

type LabelTest = (labels: Readonly<Record<string, string>>) => boolean;

function labelRequirement(text: string): LabelTest {
  const set = SET_REQUIREMENT.exec(text);
  if (set !== null) {
    const [, key = '', operator, list = ''] = set;
    const values = new Set(list.split(',').map((value) => value.trim()));
    // As in Kubernetes, an object without the label is "not in".
    return operator === 'in'
      ? (labels) => labels[key] !== undefined && values.has(labels[key])
      : (labels) => labels[key] === undefined || !values.has(labels[key]);
  }
  const comparison = /^([^\s!=]+)\s*(==|=|!=)\s*([^\s=]*)$/.exec(text);
  if (comparison !== null) {
    const [, key = '', operator, value] = comparison;
    return operator === '!=' ? (labels) => labels[key] !== value : (labels) => labels[key] === value;
  }
  const existence = /^(!?)\s*([^\s!=,()]+)$/.exec(text);
  if (existence === null) throw badRequest(`unable to parse requirement: ${text}`);
  const [, negated, key = ''] = existence;
  return (labels) => Object.hasOwn(labels, key) === (negated === '');
}

/**
 * A field selector: `metadata.name=x,spec.nodeName!=y`.
 * @param selectable the fields that the resource lets a selector name, besides name and namespace
 */
export function fieldSelector(text: string, selectable: readonly string[]): Selector {
  const known = new Set(['metadata.name', 'metadata.namespace', ...selectable]);
  const tests = requirements(text).map((part): Selector => {
    const match = /^([^!=]+)(==|=|!=)(.*)$/.exec(part);
    if (match === null) throw badRequest(`invalid selector: '${part}'; can't understand '${part}'`);
    const [, path = '', operator, value = ''] = match;
    if (!known.has(path)) throw badRequest(`field label not supported: ${path}`);
    return (object) => (fieldText(object, path) === value) === (operator !== '!=');
  });
  return (object) => tests.every((test) => test(object));
}

/** A field as a selector sees it: absent is the empty text. */
function fieldText(object: KubeObject, path: string): string {
  let value: unknown = object;
  for (const step of path.split('.')) value = (value as Record<string, unknown> | null | undefined)?.[step];
  return typeof value === 'string' ? value : value === undefined || value === null ? '' : JSON.stringify(value);
}
