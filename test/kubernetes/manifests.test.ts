import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { root } from '../started-system.js';
import { containersOf } from './workloads.js';
import { deploy, filesBelow, kustomizationOf, kustomizations, objectsIn, resourcesOf } from './manifests.js';
import { schemaProblems } from './schema-problems.js';

const files = filesBelow(deploy).filter((file) => file.endsWith('.yaml'));
const manifests = files
  .filter((file) => !file.endsWith('/kustomization.yaml'))
  .flatMap((file) => objectsIn(file).map((object) => ({ file, object })))
  .filter(({ object }) => 'kind' in object);
const whole = kustomizations.flatMap((folder) => resourcesOf(folder));

describe('deploy/', () => {
  it.each(kustomizations)('%s names everything that lies beside it, and nothing else', (folder) => {
    const { resources = [], components = [], patches = [], configMapGenerator = [] } = kustomizationOf(folder);
    const named = [
      ...resources,
      ...components,
      ...patches.map(({ path = '' }) => path),
      ...configMapGenerator.flatMap((generator) => generator.files ?? []),
    ];
    for (const name of named) expect(existsSync(join(root, folder, name)), name).toBe(true);
    const beside = files.filter((file) => file.startsWith(`${folder}/`)).map((file) => file.slice(folder.length + 1));
    const own = beside.filter((name) => !name.includes('/') && name !== 'kustomization.yaml');
    expect(named.filter((name) => name.endsWith('.yaml')).sort()).toEqual(own.sort());
  });

  it('has no file that belongs to no kustomization', () => {
    for (const file of files) expect(kustomizations).toContain(file.slice(0, file.lastIndexOf('/')));
  });

  it.each([
    ...new Map(whole.map(({ file, object }) => [`${file}: ${object.kind} ${object.metadata?.name ?? ''}`, object])),
  ])('%s is as its schema says', async (_, object) => {
    expect(await schemaProblems(object)).toEqual([]);
  });

  it('would not pass with a slip of the pen', async () => {
    const policy = objectsIn('deploy/controller/pod-disruption-budget.yaml')[0];
    if (policy === undefined) throw new Error('the file is empty');
    const spec = policy['spec'] as object;
    expect(await schemaProblems({ ...policy, spec: { ...spec, maxUnavailble: 1 } })).toEqual([
      '/spec/maxUnavailble is unknown',
    ]);
    expect(await schemaProblems({ ...policy, spec: { ...spec, selector: 'app' } })).not.toEqual([]);
    expect(await schemaProblems({ ...policy, kind: 'PodDisruptionBudgets' })).not.toEqual([]);
    const [profile] = objectsIn('deploy/examples/intent/profiles.yaml');
    if (profile === undefined) throw new Error('the file is empty');
    expect(await schemaProblems({ ...profile, spec: { candidatePaths: [], color: 1 } })).not.toEqual([]);
  });

  it('holds no secrets, and names the registry of nobody', () => {
    for (const { file, object } of manifests) {
      if (object.kind === 'Secret') {
        expect(object['data'], file).toBeUndefined();
        expect(object['stringData'], file).toBeUndefined();
      }
      expect(JSON.stringify(object), file).not.toMatch(/\b(postgres(ql)?|rediss?):\/\//);
      for (const { image } of containersOf(object)) expect(image ?? '', file).not.toContain('/');
    }
  });
});
