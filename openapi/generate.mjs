// Writes openapi/openapi.json from the routes, and the table of docs/errors.md from the catalogue of problems. Both are
// committed; tests fail when they differ. Needs a build: `npm run openapi` does it first.
import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';
import { openapiDocument } from '../apps/controller/dist/api/document.js';
import { problemCatalogue } from '../apps/controller/dist/model/errors.js';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));

await write('openapi/openapi.json', JSON.stringify(await openapiDocument(version)));

const errors = await readFile(join(root, 'docs/errors.md'), 'utf8');
const rows = Object.entries(problemCatalogue)
  .toSorted(([a, one], [b, other]) => one.status - other.status || (a < b ? -1 : 1))
  .map(([code, { status, title, remedy }]) => `| \`${code}\` | ${status} | ${title} | ${remedy} |`);
const table = ['| Code | Status | Title | What to do |', '| --- | --- | --- | --- |', ...rows].join('\n');
await write('docs/errors.md', errors.replace(/^\| Code [^]*/m, `${table}\n`));

async function write(path, text) {
  const file = join(root, path);
  await writeFile(file, await format(text, { ...(await resolveConfig(file)), filepath: file }));
}
