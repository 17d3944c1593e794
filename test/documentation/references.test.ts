import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };
import { root } from '../started-system.js';
import { headingsOf } from './headings.js';

const pages = ['README.md', 'bench/README.md', 'examples/README.md', ...filesOf('docs')];

function filesOf(folder: string): readonly string[] {
  return readdirSync(join(root, folder))
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(folder, name));
}

describe.each(pages)('%s', (page) => {
  const text = readFileSync(join(root, page), 'utf8');

  it('links to files that exist', () => {
    for (const [, target = ''] of text.matchAll(/\]\(([^)#\s]+)[^)]*\)/g)) {
      if (/^https?:/.test(target)) continue;
      const file = join(root, dirname(page), target);
      expect(existsSync(file), `${target} (${relative(root, file)})`).toBe(true);
    }
  });

  it('links to headings that exist', () => {
    for (const [, target = '', anchor = ''] of text.matchAll(/\]\(([^)#\s]*)#([^)\s]+)\)/g)) {
      if (/^https?:/.test(target)) continue;
      const file = target === '' ? join(root, page) : join(root, dirname(page), target);
      expect(headingsOf(readFileSync(file, 'utf8')), `${target}#${anchor}`).toContain(anchor);
    }
  });

  it('names tests and scripts that exist', () => {
    for (const [, paths = ''] of text.matchAll(/npm test -- ([^`\n]+)/g)) {
      for (const path of paths
        .trim()
        .split(' ')
        .filter((word) => word.includes('/'))) {
        expect(existsSync(join(root, path)), path).toBe(true);
      }
    }
    for (const [, path = ''] of text.matchAll(/`([\w./-]+\.test\.ts)`/g))
      expect(existsSync(join(root, path)), path).toBe(true);
    for (const [, script = ''] of text.matchAll(/npm run ([\w:-]+)/g)) {
      expect(Object.keys(packageJson.scripts), script).toContain(script);
    }
  });
});
