import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { missingNeeds } from '../../../test/require-program.js';

const skip = missingNeeds({ programs: ['protoc'] });
const committed = fileURLToPath(new URL('generated', import.meta.url));
const generator = fileURLToPath(new URL('../generate.mjs', import.meta.url));

describe.skipIf(skip !== undefined)(`generated code${skip ? ` (${skip})` : ''}`, () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'waymark-generated-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('is what the proto file gives: if not, npm run generate -w packages/agent-protocol', () => {
    const run = spawnSync(process.execPath, [generator, folder], { encoding: 'utf8' });
    expect(run).toMatchObject({ status: 0, stderr: '' });
    expect(filesIn(committed)).toEqual(filesIn(folder));
  });
});

function filesIn(folder: string): Record<string, string> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return Object.fromEntries(
    files.map(({ parentPath, name }) => {
      const file = join(parentPath, name);
      return [file.slice(folder.length), readFileSync(file, 'utf8')];
    }),
  );
}
