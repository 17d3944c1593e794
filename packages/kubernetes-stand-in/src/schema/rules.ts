import { isIP } from 'node:net';
import { Environment } from '@marcbachmann/cel-js';
import type { Cause } from '../model/api-error.js';
import { isJsonObject, type JsonObject } from '../model/kube-object.js';
import { isCidr } from './cidr.js';
import { itemKey } from './list-types.js';
import { fieldSchema, type Schema, type ValidationRule } from './schema.js';

class Ip {
  readonly text: string;

  constructor(text: string) {
    if (isIP(text) === 0) throw new TypeError(`${text} is no IP address`);
    this.text = text;
  }
}

class Cidr {
  readonly text: string;

  constructor(text: string) {
    if (!isCidr(text)) throw new TypeError(`${text} is no CIDR`);
    this.text = text;
  }
}

/** CEL with the functions of Kubernetes' IP and CIDR libraries that a rule about addresses needs. */
const environment = new Environment({ enableOptionalTypes: true, homogeneousAggregateLiterals: false })
  .registerVariable('self', 'dyn')
  .registerVariable('oldSelf', 'dyn')
  .registerType('kubernetes.IP', Ip)
  .registerType('kubernetes.CIDR', Cidr)
  .registerFunction('isIP(string): bool', (text: string) => isIP(text) !== 0)
  .registerFunction('isCIDR(string): bool', isCidr)
  .registerFunction('ip(string): kubernetes.IP', (text: string) => new Ip(text))
  .registerFunction('kubernetes.IP.family(): int', ({ text }: Ip) => BigInt(isIP(text)))
  .registerFunction('cidr(string): kubernetes.CIDR', (text: string) => new Cidr(text))
  .registerFunction('kubernetes.CIDR.ip(): kubernetes.IP', ({ text }: Cidr) => new Ip(text.split('/')[0] ?? ''))
  .registerFunction('kubernetes.CIDR.prefixLength(): int', ({ text }: Cidr) => BigInt(text.split('/')[1] ?? ''));

type Program = (context: Readonly<Record<string, unknown>>) => unknown;
const programs = new Map<string, Program>();

function compile(rule: string): Program {
  let program = programs.get(rule);
  if (program === undefined) {
    program = environment.parse(rule);
    programs.set(rule, program);
  }
  return program;
}

/** Why a rule cannot be compiled; undefined when it can. Unlike a real server this knows nothing of the fields' types. */
export function ruleProblem(rule: string): string | undefined {
  try {
    compile(rule);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/**
 * The rules (x-kubernetes-validations) that the value breaks.
 * @param old the value before, for rules about changes; undefined for a new one
 */
export function brokenRules(value: unknown, old: unknown, schema: Schema | undefined, path = ''): readonly Cause[] {
  if (schema === undefined || value === null || value === undefined) return [];
  const own = (schema['x-kubernetes-validations'] ?? []).flatMap((rule) => broken(rule, value, old, schema, path));
  return [...own, ...insideOf(value, old, schema, path)];
}

function insideOf(value: unknown, old: unknown, schema: Schema, path: string): readonly Cause[] {
  if (Array.isArray(value)) {
    // Only items that have a key can be compared with what they were.
    const before = new Map((Array.isArray(old) ? (old as unknown[]) : []).map((item) => [itemKey(item, schema), item]));
    const isMap = schema['x-kubernetes-list-type'] === 'map';
    return value.flatMap((item: unknown, index) =>
      brokenRules(item, isMap ? before.get(itemKey(item, schema)) : undefined, schema.items, `${path}[${index}]`),
    );
  }
  if (!isJsonObject(value)) return [];
  const before: JsonObject = isJsonObject(old) ? old : {};
  return Object.entries(value).flatMap(([field, inner]) =>
    brokenRules(inner, before[field], fieldSchema(schema, field), path === '' ? field : `${path}.${field}`),
  );
}

function broken(rule: ValidationRule, value: unknown, old: unknown, schema: Schema, path: string): readonly Cause[] {
  const isTransition = /\boldSelf\b/.test(rule.rule);
  if (isTransition && old === undefined) return [];
  const context = { self: celValue(value, schema), oldSelf: celValue(old, schema) };
  const cause = (message: string): Cause => ({
    reason: rule.reason ?? 'FieldValueInvalid',
    message: `Invalid value: ${typeof value === 'object' ? `"${schema.type ?? 'object'}"` : JSON.stringify(value)}: ${message}`,
    field: `${path}${rule.fieldPath ?? ''}`,
  });
  try {
    if (compile(rule.rule)(context) === true) return [];
    const told = rule.messageExpression === undefined ? undefined : compile(rule.messageExpression)(context);
    return [cause(typeof told === 'string' ? told : (rule.message ?? `failed rule: ${rule.rule}`))];
  } catch (error) {
    return [cause(`rule evaluation error: ${error instanceof Error ? error.message : String(error)}`)];
  }
}

/** JSON has one kind of number, CEL tells integers from others: the schema says which it is. */
function celValue(value: unknown, schema: Schema | undefined): unknown {
  if (typeof value === 'number') return schema?.type === 'number' || !Number.isInteger(value) ? value : BigInt(value);
  if (Array.isArray(value)) return value.map((item) => celValue(item, schema?.items));
  if (!isJsonObject(value)) return value;
  const entries = Object.entries(value).map(([field, inner]) => [field, celValue(inner, fieldSchema(schema, field))]);
  return Object.fromEntries(entries) as unknown;
}
