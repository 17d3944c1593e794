import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { NewObject } from '../../packages/kubernetes-stand-in/src/api-server.js';
import { openApiServer, type TestApiServer } from '../../packages/kubernetes-stand-in/src/testing/test-api-server.js';
import { root } from '../started-system.js';
import { hasKubectl, kustomizationOf, kustomizations, resourcesOf } from './manifests.js';

const real = process.env['TEST_KUBECONFIG'] ?? '';
const applied = kustomizations.filter((folder) => kustomizationOf(folder).kind === 'Kustomization');

// The stand-in has few of the kinds, and checks none of those that are built in.
describe.skipIf(real === '' || !hasKubectl)('a real API server (of TEST_KUBECONFIG, asked by kubectl)', () => {
  let server: TestApiServer;

  beforeAll(async () => {
    server = await openApiServer(resourcesOf('deploy/crds').map(({ object }) => object as NewObject));
    // Where a dry run is to lead.
    for (const name of ['waymark', 'waymark-agents', 'calico-vpp-dataplane']) {
      if ((await server.find('v1', 'Namespace', name)) !== undefined) continue;
      await server.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
    }
  });
  afterAll(() => server.close());

  it.each(applied)('would take %s', (folder) => {
    const how = ['--server-side', '--dry-run=server', '--force-conflicts', '--validate=strict'];
    const args = ['--kubeconfig', real, 'apply', ...how, '-k', join(root, folder)];
    const { status, stderr } = spawnSync('kubectl', args, { encoding: 'utf8' });
    expect(status, stderr).toBe(0);
  });
});
