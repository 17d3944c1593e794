import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '..', '..');

interface LockEntry {
  readonly version: string;
  readonly integrity?: string;
  readonly license?: string;
  readonly dev?: boolean;
  readonly link?: boolean;
}

interface Component {
  readonly type: string;
  readonly 'bom-ref': string;
  readonly group?: string;
  readonly name: string;
  readonly version: string;
  readonly purl: string;
  readonly scope: string;
  readonly hashes?: readonly { readonly alg: string; readonly content: string }[];
  readonly licenses: readonly ({ readonly license: { readonly id: string } } | { readonly expression: string })[];
}

interface Bom {
  readonly bomFormat: string;
  readonly specVersion: string;
  readonly serialNumber: string;
  readonly metadata: { readonly component: Omit<Component, 'scope'> };
  readonly components: readonly Component[];
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn: readonly string[] }[];
}

const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
  readonly packages: Readonly<Record<string, LockEntry>>;
};
const text = written();
const bom = JSON.parse(text) as Bom;
const titled = ({ group, name, version }: Component) => `${group === undefined ? '' : `${group}/`}${name}@${version}`;

function written(): string {
  // From elsewhere: where it lies must not show.
  const run = spawnSync(process.execPath, [join(root, 'scripts/sbom.mjs')], { cwd: '/', encoding: 'utf8' });
  expect(run).toMatchObject({ status: 0, stderr: '' });
  return run.stdout;
}

/** Of packages that lie in node_modules, by name and version. */
function locked(which: (entry: LockEntry) => boolean): ReadonlyMap<string, LockEntry> {
  const entries = Object.entries(lock.packages).filter(
    ([path, entry]) => path.includes('node_modules/') && entry.link !== true && which(entry),
  );
  return new Map(entries.map(([path, entry]) => [`${path.replace(/^.*node_modules\//, '')}@${entry.version}`, entry]));
}

describe('the software bill of materials', () => {
  it('has the form of CycloneDX 1.5, and names no place', () => {
    expect(bom).toMatchObject({ bomFormat: 'CycloneDX', specVersion: '1.5' });
    expect(bom.serialNumber).toMatch(/^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/);
    for (const { type, scope, purl, licenses, hashes = [] } of bom.components) {
      expect(['library', 'application']).toContain(type);
      expect(['required', 'optional']).toContain(scope);
      expect(purl).toMatch(/^pkg:npm\/(%40[\w.-]+\/)?[\w.-]+@[\w.+-]+$/);
      expect(licenses).toHaveLength(1);
      for (const { alg, content } of hashes) {
        expect(alg).toBe('SHA-512');
        expect(content).toMatch(/^[0-9a-f]{128}$/);
      }
    }
    expect(text).not.toContain(root);
    expect(text.match(/https?:\/\/[^"]*/g)).toEqual(['http://cyclonedx.org/schema/bom-1.5.schema.json']);
  });

  it('is the same every time', () => {
    expect(written()).toBe(text);
  });

  it('has every package that runs, with version, hash and license of the lockfile, and ours', () => {
    const libraries = bom.components.filter(({ type }) => type === 'library');
    const runtime = locked(({ dev }) => dev !== true);
    expect(libraries.map(titled).sort()).toEqual([...runtime.keys()].sort());
    for (const library of libraries) {
      const { integrity = '', license } = runtime.get(titled(library)) ?? {};
      const hashes = (library.hashes ?? []).map(({ content }) => Buffer.from(content, 'hex').toString('base64'));
      expect(hashes, titled(library)).toEqual([integrity.replace('sha512-', '')]);
      const [named] = library.licenses;
      expect(named && ('license' in named ? named.license.id : named.expression), titled(library)).toBe(license);
    }
    const ours = bom.components.filter(({ type }) => type === 'application');
    const workspaces = Object.keys(lock.packages).filter((path) => /^(apps|packages)\/[^/]+$/.test(path));
    expect(ours.map(titled).sort()).toEqual(workspaces.map((path) => `@waymark/${path.split('/')[1]}@0.1.0`).sort());
  });

  it('has nothing that is for development only', () => {
    const titles = new Set(bom.components.map(titled));
    const runtime = locked(({ dev }) => dev !== true);
    for (const title of locked(({ dev }) => dev === true).keys()) {
      if (!runtime.has(title)) expect(titles).not.toContain(title);
    }
    expect([...titles].filter((title) => /^(vitest|eslint|playwright-core)@/.test(title))).toEqual([]);
  });

  it('says what depends on what, of parts that it names', () => {
    const refs = [bom.metadata.component['bom-ref'], ...bom.components.map((one) => one['bom-ref'])];
    expect(new Set(refs).size).toBe(refs.length);
    expect(bom.dependencies.map(({ ref }) => ref).sort()).toEqual([...refs].sort());
    for (const { dependsOn } of bom.dependencies) expect(refs).toEqual(expect.arrayContaining([...dependsOn]));
    // All of it is reached from the root.
    const reached = new Set<string>();
    const walk = (ref: string): void => {
      if (reached.has(ref)) return;
      reached.add(ref);
      for (const next of bom.dependencies.find((one) => one.ref === ref)?.dependsOn ?? []) walk(next);
    };
    walk(refs[0] ?? '');
    expect(refs.filter((ref) => !reached.has(ref))).toEqual([]);
  });

  it('is in the images', () => {
    expect(readFileSync(join(root, 'Dockerfile'), 'utf8')).toContain('node scripts/sbom.mjs sbom.cdx.json');
  });
});
