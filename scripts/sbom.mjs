// `npm run -s sbom [-- file]`: the software bill of materials of what runs, as CycloneDX 1.5 JSON, to a file or to standard output.
// From the lockfile alone, so that the same lockfile gives the same bytes on every machine, whatever npm is there.
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const lockfile = readFileSync(join(import.meta.dirname, '..', 'package-lock.json'));
const { packages } = JSON.parse(lockfile.toString('utf8'));

/** Path in the lockfile to what lies there, links followed; what is for development only is left out. */
const runtime = new Map(
  Object.entries(packages).filter(([path, entry]) => path !== '' && entry.link !== true && entry.dev !== true),
);

const nameOf = (path, { name }) => name ?? path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
const refOf = (path) => {
  const entry = packages[path];
  return `pkg:npm/${nameOf(path, entry).replace('@', '%40')}@${entry.version}`;
};

/** Where Node would find `name` from the package at `path`; undefined: it is not installed (an optional peer). */
function resolve(path, name) {
  for (let folder = path; ; folder = parentOf(folder)) {
    const there = folder === '' ? `node_modules/${name}` : `${folder}/node_modules/${name}`;
    const entry = packages[there];
    if (entry !== undefined) return entry.link === true ? entry.resolved : there;
    if (folder === '') return undefined;
  }
}

function parentOf(folder) {
  const nested = folder.lastIndexOf('/node_modules/');
  return nested < 0 ? '' : folder.slice(0, nested);
}

function component(path, entry) {
  const parts = nameOf(path, entry).split('/');
  return {
    type: path.includes('node_modules/') ? 'library' : 'application',
    'bom-ref': refOf(path),
    ...(parts.length > 1 && { group: parts[0] }),
    name: parts.at(-1),
    version: entry.version,
    scope: entry.optional === true || entry.devOptional === true ? 'optional' : 'required',
    ...(entry.integrity && { hashes: entry.integrity.split(' ').map(hash) }),
    licenses: [entry.license.includes(' ') ? { expression: entry.license } : { license: { id: entry.license } }],
    purl: refOf(path),
  };
}

function hash(integrity) {
  const [algorithm, content] = integrity.split(/-(.*)/);
  return { alg: algorithm.replace('sha', 'SHA-'), content: Buffer.from(content, 'base64').toString('hex') };
}

function dependenciesOf(path) {
  const { dependencies = {}, optionalDependencies = {}, peerDependencies = {} } = packages[path];
  const names = Object.keys({ ...dependencies, ...optionalDependencies, ...peerDependencies });
  const found = names.map((name) => resolve(path, name)).filter((there) => there !== undefined && runtime.has(there));
  return [...new Set(found.map(refOf))].sort();
}

/** The same package may lie in several places. */
const byRef = new Map();
const dependencies = new Map();
for (const [path, entry] of runtime) {
  const ref = refOf(path);
  const known = byRef.get(ref);
  if (known === undefined || known.scope === 'optional') byRef.set(ref, component(path, entry));
  dependencies.set(ref, [...new Set([...(dependencies.get(ref) ?? []), ...dependenciesOf(path)])].sort());
}

const root = packages[''];
const rootRef = refOf('');
const workspaces = [...runtime.keys()].filter((path) => !path.includes('node_modules/')).map(refOf);
const digest = createHash('sha256').update(lockfile).digest('hex');
const inOrder = (map) => [...map].sort(([a], [b]) => (a < b ? -1 : 1));

const bom = {
  $schema: 'http://cyclonedx.org/schema/bom-1.5.schema.json',
  bomFormat: 'CycloneDX',
  specVersion: '1.5',
  // A UUID (version 8: of one's own making) of the lockfile.
  serialNumber: `urn:uuid:${digest.slice(0, 8)}-${digest.slice(8, 12)}-8${digest.slice(13, 16)}-8${digest.slice(17, 20)}-${digest.slice(20, 32)}`,
  version: 1,
  metadata: {
    component: {
      type: 'application',
      'bom-ref': rootRef,
      name: root.name,
      version: root.version,
      licenses: [{ license: { id: root.license } }],
      purl: rootRef,
    },
  },
  components: inOrder(byRef).map(([, one]) => one),
  dependencies: [
    { ref: rootRef, dependsOn: [...new Set([...workspaces, ...dependenciesOf('')])].sort() },
    ...inOrder(dependencies).map(([ref, dependsOn]) => ({ ref, dependsOn })),
  ],
};

const text = `${JSON.stringify(bom, null, 2)}\n`;
const [file] = process.argv.slice(2);
if (file === undefined) process.stdout.write(text);
else writeFileSync(file, text);
