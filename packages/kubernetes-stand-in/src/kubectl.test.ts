import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { stringify } from 'yaml';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Cluster, definitionOf, DEFINITIONS } from './testing/cluster.js';

const run = promisify(execFile);
const GROUP = 'kubectl.conformance.test';

/** From this one on kubectl asks in OpenAPI v3 whether the server checks objects; before, in a binary form of v2. */
const OLDEST = 29;

/** The minor version of the kubectl that is installed; undefined without one. */
function kubectlMinor(): number | undefined {
  const { status, stdout } = spawnSync('kubectl', ['version', '--client', '-o', 'json'], { encoding: 'utf8' });
  if (status !== 0) return undefined;
  const { clientVersion } = JSON.parse(stdout) as { readonly clientVersion: { readonly minor: string } };
  return Number.parseInt(clientVersion.minor, 10);
}

describe.skipIf((kubectlMinor() ?? 0) < OLDEST)('kubectl', () => {
  let cluster: Cluster;
  let folder: string;
  beforeAll(async () => {
    cluster = await Cluster.open();
    folder = mkdtempSync(join(tmpdir(), 'waymark-kubectl-'));
    writeFileSync(join(folder, 'config'), cluster.kubeConfig.exportConfig());
  });
  afterAll(async () => {
    rmSync(folder, { recursive: true, force: true });
    await cluster.call('DELETE', `${DEFINITIONS}/widgets.${GROUP}`);
    await cluster.close();
  });

  const kubectl = async (...args: readonly string[]): Promise<string> => {
    const env = { ...process.env, KUBECONFIG: join(folder, 'config'), HOME: folder };
    const { stdout } = await run('kubectl', ['--namespace', cluster.namespace, ...args], { env });
    return stdout;
  };
  const file = (content: unknown): string => {
    const path = join(folder, 'object.yaml');
    writeFileSync(path, stringify(content));
    return path;
  };
  const widget = (size: unknown): object => ({
    ...{ apiVersion: `${GROUP}/v1`, kind: 'Widget', metadata: { name: 'web' } },
    spec: { size },
  });

  it('applies a definition and waits until it is established', async () => {
    const columns = [{ name: 'Size', type: 'integer', jsonPath: '.spec.size' }];
    const spec = { type: 'object', properties: { size: { type: 'integer', description: 'How big it is.' } } };
    const definition = definitionOf(GROUP, spec, { type: 'object' }, { additionalPrinterColumns: columns });
    expect(await kubectl('apply', '--server-side', '-f', file(definition))).toContain('serverside-applied');
    expect(await kubectl('wait', '--for=condition=Established', `crd/widgets.${GROUP}`)).toContain('condition met');
  });

  it('applies objects, on either side, and shows them by their short name', async () => {
    expect(await kubectl('apply', '--server-side', '-f', file(widget(1)))).toContain('serverside-applied');
    expect(await kubectl('apply', '--server-side', '-f', file(widget(2)))).toContain('serverside-applied');
    expect(await kubectl('get', 'wd')).toMatch(/^NAME +SIZE\nweb +2\n$/);
    await kubectl('delete', 'widget', 'web');
    expect(await kubectl('apply', '-f', file(widget(3)))).toContain('created');
    expect(await kubectl('apply', '-f', file(widget(4)))).toContain('configured');
    expect(await kubectl('get', 'wd', 'web', '-o', 'jsonpath={.spec.size}')).toBe('4');
  });

  it('applies built-in kinds again and again', async () => {
    const settings = (data: object): string =>
      file({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'settings' }, data });
    expect(await kubectl('apply', '-f', settings({ a: '1', b: '2' }))).toContain('created');
    expect(await kubectl('apply', '-f', settings({ b: '3' }))).toContain('configured');
    expect(await kubectl('apply', '-f', settings({ b: '3' }))).toContain('unchanged');
    expect(JSON.parse(await kubectl('get', 'cm', 'settings', '-o', 'jsonpath={.data}'))).toEqual({ b: '3' });
  });

  it('shows why an object is refused', async () => {
    const wrong = { ...widget('big'), metadata: { name: 'other' } };
    await expect(kubectl('create', '-f', file(wrong))).rejects.toThrow('must be of type integer');
    const unknown = { ...widget(1), spec: { colour: 'red' } };
    await expect(kubectl('apply', '-f', file(unknown))).rejects.toThrow('unknown field "spec.colour"');
  });

  it('shows conflicts of owners', async () => {
    await kubectl('apply', '--server-side', '--force-conflicts', '--field-manager=first', '-f', file(widget(5)));
    const second = ['apply', '--server-side', '--field-manager=second', '-f', file(widget(6))];
    await expect(kubectl(...second)).rejects.toThrow('conflict with "first"');
    expect(await kubectl(...second, '--force-conflicts')).toContain('serverside-applied');
  });

  it('labels, patches and explains', async () => {
    expect(await kubectl('label', 'wd', 'web', 'a=b')).toContain('labeled');
    expect(await kubectl('patch', 'wd', 'web', '--type=merge', '-p', '{"spec":{"size":7}}')).toContain('patched');
    expect(await kubectl('get', 'wd', '-l', 'a=b', '-o', 'name')).toBe(`widget.${GROUP}/web\n`);
    expect(await kubectl('explain', 'widget.spec.size')).toContain('How big it is.');
  });
});
