import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { StartFault } from '../model/start-fault.js';
import { readKubernetesConfig } from './kubernetes-config.js';

describe('the file of WAYMARK_KUBERNETES', () => {
  let directory: string;
  let file: string;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'waymark-config-'));
    file = join(directory, 'kubernetes.yaml');
  });

  afterEach(() => {
    rmSync(directory, { recursive: true });
  });

  const read = (text: string) => {
    writeFileSync(file, text);
    return readKubernetesConfig(file);
  };

  it('names clusters', () => {
    expect(read('clusters: [{name: paris, inCluster: true}, {name: rome, kubeconfig: /etc/rome, site: rome}]')).toEqual(
      {
        clusters: [
          { name: 'paris', inCluster: true },
          { name: 'rome', kubeconfig: '/etc/rome', site: 'rome' },
        ],
        nodeGraceMs: 300_000,
        prefixGraceMs: 10_000,
      },
    );
  });

  it.each([
    ['clusters: []', '/clusters'],
    ['{}', 'clusters'],
    ['clusters: [{name: "a b", inCluster: true}]', '/clusters/0/name'],
    ['clusters: [{name: a, inCluster: true, kubeconfig: b}]', '/clusters/0: give either kubeconfig or inCluster'],
    ['clusters: [{name: a}]', '/clusters/0: give either kubeconfig or inCluster'],
    ['clusters: [{name: a, inCluster: true}, {name: a, inCluster: true}]', '/clusters/1/name: a is there twice'],
    ['clusters: [{name: a, inCluster: true, context: b}]', '/clusters/0/context: needs a kubeconfig'],
    ['clusters: [{name: a, inCluster: true, configMaps: both}]', '/clusters/0/configMaps'],
    [
      'clusters: [{name: a, inCluster: true, configMaps: write, configMapColor: 7}]',
      '/clusters/0/configMapColor: needs',
    ],
    ['clusters: [{name: a, inCluster: true, configMaps: read, configMapColor: 4294967295}]', 'configMapColor'],
    ['clusters: [{name: a, inCluster: true, colour: red}]', '/clusters/0'],
    ['nodeGraceSeconds: -1\nclusters: [{name: a, inCluster: true}]', '/nodeGraceSeconds'],
    ['clusters: [', 'cannot be read'],
  ])('%j is refused with the field', (text, message) => {
    expect(() => read(text)).toThrow(StartFault);
    expect(() => read(text)).toThrow(message);
  });

  it('must be there', () => {
    expect(() => readKubernetesConfig(join(directory, 'none'))).toThrow('WAYMARK_KUBERNETES: ');
  });
});
