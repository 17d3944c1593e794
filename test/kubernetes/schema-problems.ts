import * as clientNode from '@kubernetes/client-node';
import { ApiServer } from '@waymark/kubernetes-stand-in';
import { customResourceDefinition, customResourceKinds } from '@waymark/kubernetes-resources';
import { expect } from 'vitest';
import type { Manifest } from './manifests.js';

interface Attribute {
  readonly baseName: string;
  readonly type: string;
}

type Models = Readonly<Record<string, { readonly getAttributeTypeMap?: () => readonly Attribute[] } | undefined>>;
const models = clientNode as unknown as Models;

/**
 * What is wrong with an object: with a built-in kind by the schemas of Kubernetes, with one of ours by its definition. The
 * schemas of Kubernetes allow members that they do not know, so that a slip of the pen would pass; these are found by
 * the models of its client.
 */
export async function schemaProblems(object: Manifest): Promise<readonly string[]> {
  if (object.apiVersion.startsWith('waymark.dev/')) return problemsOfOurs(object);
  const schemas = `kubernetes-models/${object.apiVersion}`;
  const exported = (await import(/* @vite-ignore */ schemas)) as Readonly<Record<string, unknown>>;
  const Model = exported[object.kind] as (new (data: object) => { validate: () => void }) | undefined;
  if (Model === undefined) return [`there is no ${object.apiVersion} ${object.kind}`];
  const unknown = unknownMembers(object, `V1${object.kind}`, '');
  try {
    new Model(object).validate();
    return unknown;
  } catch (error) {
    return [(error as Error).message, ...unknown];
  }
}

/** Paths of members that the type does not have. */
function unknownMembers(value: unknown, type: string, path: string): readonly string[] {
  const element = /^Array<(.*)>$/.exec(type)?.[1];
  if (element !== undefined) {
    return Array.isArray(value)
      ? value.flatMap((item, i) => unknownMembers(item, element, `${path}/${i}`))
      : [`${path} is no list`];
  }
  if (typeof value !== 'object' || value === null) return [];
  const ofMap = /^\{ \[key: string\]: (.*); \}$/.exec(type)?.[1];
  const attributes = models[type]?.getAttributeTypeMap?.();
  return Object.entries(value).flatMap(([name, member]) => {
    const at = `${path}/${name}`;
    if (ofMap !== undefined) return unknownMembers(member, ofMap, at);
    if (attributes === undefined) return [];
    const attribute = attributes.find(({ baseName }) => baseName === name);
    return attribute === undefined ? [`${at} is unknown`] : unknownMembers(member, attribute.type, at);
  });
}

function problemsOfOurs(object: Manifest): readonly string[] {
  const server = new ApiServer({ definitions: customResourceKinds.map(customResourceDefinition) });
  try {
    const stored = server.create(object);
    // What a definition does not know is dropped.
    expect(stored).toMatchObject({ spec: object['spec'] });
    return [];
  } catch (error) {
    return [(error as Error).message];
  }
}
