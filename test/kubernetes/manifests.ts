import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { root } from '../started-system.js';

export const deploy = join(root, 'deploy');

/** An object as a manifest has it. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata?: {
    readonly name?: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
  };
  readonly [member: string]: unknown;
}

/** Files of a folder and those below it, as paths in the repository, sorted. */
export function filesBelow(folder: string): readonly string[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return files.map((file) => relative(root, file)).sort();
}

/** The objects of a YAML file, which is named by its path in the repository. @throws when it is no proper YAML */
export function objectsIn(file: string): readonly Manifest[] {
  return parseAllDocuments(readFileSync(join(root, file), 'utf8'), { uniqueKeys: true }).map((document) => {
    const [error] = [...document.errors, ...document.warnings];
    if (error !== undefined) throw new Error(`${file}: ${error.message}`);
    return document.toJS() as Manifest;
  });
}

export const hasKubectl = spawnSync('kubectl', ['kustomize', '--help']).status === 0;

/** The objects of a kustomization as they would be applied. Needs kubectl. @throws what kubectl says */
export function rendered(folder: string): readonly Manifest[] {
  const { status, stdout, stderr } = spawnSync('kubectl', ['kustomize', join(root, folder)], { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  return parseAllDocuments(stdout).map((document) => document.toJS() as Manifest);
}

export interface Kustomization extends Manifest {
  readonly resources?: readonly string[];
  readonly components?: readonly string[];
  readonly patches?: readonly { readonly path?: string; readonly patch?: string; readonly target?: object }[];
  readonly configMapGenerator?: readonly {
    readonly name: string;
    readonly namespace?: string;
    readonly behavior?: string;
    readonly files?: readonly string[];
    readonly literals?: readonly string[];
  }[];
}

export function kustomizationOf(folder: string): Kustomization {
  const file = join(folder, 'kustomization.yaml');
  const [kustomization] = objectsIn(file) as readonly Kustomization[];
  if (kustomization === undefined) throw new Error(`${file} is empty`);
  return kustomization;
}

/** Everything that a kustomization brings together before it patches, with the file that each object is in. */
export function resourcesOf(folder: string): readonly { readonly file: string; readonly object: Manifest }[] {
  return (kustomizationOf(folder).resources ?? []).flatMap((name) => {
    const path = join(folder, name);
    if (existsSync(join(root, path, 'kustomization.yaml'))) return resourcesOf(path);
    return objectsIn(path).map((object) => ({ file: path, object }));
  });
}

/** The kustomizations below deploy/, by folder. */
export const kustomizations = filesBelow(deploy)
  .filter((file) => file.endsWith('/kustomization.yaml'))
  .map((file) => dirname(file));
