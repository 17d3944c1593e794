import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { root } from '../started-system.js';

// Benchmarks are not typed and nobody runs them often: here each runs on something tiny, so that a change that breaks one
// is noticed. What they print is for people; no figure is held against anything.
describe('a benchmark still runs:', () => {
  it.each([
    ['engine.mjs', '60'],
    ['batch.mjs', '30'],
    ['bounded.mjs', '60'],
    ['disjoint.mjs', '60', '3'],
    ['import.mjs', '40', '3', '1'],
    ['kubernetes.mjs', '8', '2', '4', 'clusters'],
    ['mesh.mjs', '40'],
    ['policies.mjs', '24', 'bandwidth'],
    ['reconnect.mjs', '6', '1'],
    ['soak.mjs', '--minutes', '0.2', '--hosts', '6', '--every', '3', '--events', '100'],
    ['sweep.mjs', '30', '60'],
    ['takeover.mjs', '1'],
    ['vpp.mjs', '--policies', '40', '--runs', '1'],
  ])(
    'bench/%s',
    (name, ...args) => {
      const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, 'bench', name), ...args], {
        encoding: 'utf8',
        timeout: 120_000,
      });
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
      expect(stdout).not.toMatch(/NaN|undefined|trying again/);
      expect(stdout.split('\n').length).toBeGreaterThan(5);
    },
    150_000,
  );
});
