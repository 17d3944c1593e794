import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  customResourceDefinition,
  customResourceKinds,
  nameOfDefinition,
  referenceOf,
} from '@waymark/kubernetes-resources';
import { format, resolveConfig } from 'prettier';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { root } from '../started-system.js';

const crds = join(root, 'deploy/crds');

describe('what is generated of custom resources (node deploy/generate.mjs)', () => {
  it.each(customResourceKinds.map((kind) => [nameOfDefinition(kind), kind] as const))(
    '%s is up to date',
    (name, kind) => {
      expect(parse(readFileSync(join(crds, `${name}.yaml`), 'utf8'))).toEqual(customResourceDefinition(kind));
    },
  );

  it('is nothing else', () => {
    const files = customResourceKinds.map((kind) => `${nameOfDefinition(kind)}.yaml`);
    expect(readdirSync(crds).sort()).toEqual([...files, 'kustomization.yaml'].sort());
    expect(parse(readFileSync(join(crds, 'kustomization.yaml'), 'utf8'))).toMatchObject({ resources: files });
  });

  it('has an up to date reference', async () => {
    const file = join(root, 'docs/kubernetes-resources.md');
    const text = readFileSync(file, 'utf8');
    const reference = await format(customResourceKinds.map(referenceOf).join('\n\n'), {
      ...(await resolveConfig(file)),
      filepath: file,
    });
    expect(text.slice(text.indexOf('## '))).toBe(reference);
  });
});
