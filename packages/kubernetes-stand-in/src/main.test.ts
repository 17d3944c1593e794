import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import { expect, onTestFinished, test } from 'vitest';
import { Cluster } from './testing/cluster.js';

const MAIN = new URL('../dist/main.js', import.meta.url).pathname;

function run(...options: readonly string[]): ChildProcess {
  const child = spawn(process.execPath, [MAIN, ...options], { stdio: ['ignore', 'pipe', 'pipe'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}

const exitOf = (child: ChildProcess): Promise<number | null> =>
  new Promise((resolve) => child.once('close', (code) => resolve(code)));

test('runs alone until it is told to stop, and tells how it was called', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'kubernetes-stand-in-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const kubeconfig = join(folder, 'kubeconfig');
  const child = run('--kubeconfig', kubeconfig, '--calico');
  await new Promise((resolve) => child.stdout?.once('data', resolve));
  expect(statSync(kubeconfig).mode & 0o777).toBe(0o600);
  const kubeConfig = new KubeConfig();
  kubeConfig.loadFromFile(kubeconfig);
  const cluster = await Cluster.of(kubeConfig);
  await cluster.post('/apis/crd.projectcalico.org/v1/ippools', {
    ...{ apiVersion: 'crd.projectcalico.org/v1', kind: 'IPPool', metadata: { name: 'pods' } },
    spec: { cidr: '10.0.0.0/8' },
  });
  const { body } = await cluster.call('GET', '/metrics');
  expect(body).toContain(
    'apiserver_request_total{verb="CREATE",group="crd.projectcalico.org",version="v1",resource="ippools",subresource=""} 1\n',
  );
  child.kill('SIGTERM');
  expect(await exitOf(child)).toBe(0);
});

test.each([{ options: [] }, { options: ['--kubeconfig', 'x', '--port', 'red'] }])(
  'refuses $options with its usage',
  async ({ options }) => {
    const child = run(...options);
    let said = '';
    child.stderr?.on('data', (text) => (said += String(text)));
    expect(await exitOf(child)).toBe(1);
    expect(said).toContain('kubernetes-stand-in --kubeconfig FILE');
  },
);
