import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const generator = ['--no-install', '@bufbuild/buf@1.75.0'];
const available = spawnSync('npx', [...generator, '--version'], { cwd: root }).status === 0;

/** The generator is fetched by hand (`npm run generate`), never by a test run; where it is not cached this is skipped. */
describe.skipIf(!available)(`generated code${available ? '' : ' (skipped: buf is not installed here)'}`, () => {
  it('is what the proto file gives', () => {
    const folder = mkdtempSync(join(tmpdir(), 'waymark-generated-'));
    try {
      const run = spawnSync('npx', [...generator, 'generate', '--output', folder], { cwd: root, encoding: 'utf8' });
      expect(run.stderr.match(/^Failure.*/m)?.[0]).toBeUndefined();
      const file = 'src/generated/waymark/agent/v1/agent.ts';
      expect(readFileSync(join(folder, file), 'utf8')).toBe(readFileSync(join(root, file), 'utf8'));
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
