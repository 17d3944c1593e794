import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';

const root = join(import.meta.dirname, '..', '..');
const read = (file: string): string => readFileSync(join(root, file), 'utf8');

interface Service {
  readonly build?: { readonly target: string };
  readonly environment?: Readonly<Record<string, string>>;
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly healthcheck?: object;
  readonly volumes?: readonly string[];
}

const composition = parse(read('docker-compose.yml'), { merge: true }) as {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: Readonly<Record<string, null>>;
};
const dockerfile = read('Dockerfile');
const services = Object.entries(composition.services);

describe('docker-compose.yml', () => {
  it('has two controllers on one Postgres and one Redis, and agents', () => {
    const built = services.map(([, service]) => service.build?.target);
    expect(built.filter((target) => target === 'controller')).toHaveLength(2);
    expect(built.filter((target) => target === 'node-agent').length).toBeGreaterThan(1);
    const databases = new Set(services.map(([, service]) => service.environment?.['DATABASE_URL']).filter(Boolean));
    expect(databases.size).toBe(1);
  });

  it.each(services)('%s builds a stage that the Dockerfile has', (_, service) => {
    if (service.build !== undefined) expect(dockerfile).toContain(` AS ${service.build.target}\n`);
  });

  it.each(services)('%s sets only variables that a settings table documents', (_, service) => {
    const documented = `${read('docs/operating.md')}${read('docs/node-agent.md')}`;
    for (const name of Object.keys(service.environment ?? {})) {
      if (!name.startsWith('POSTGRES_')) expect(documented).toContain(`\`${name}\``);
    }
  });

  it.each(services)('%s waits only for services that say when they are healthy', (_, service) => {
    for (const [name, { condition }] of Object.entries(service.depends_on ?? {})) {
      const needed = composition.services[name];
      expect(needed, name).toBeDefined();
      if (condition !== 'service_healthy') continue;
      const inImage = needed?.build !== undefined && stage(needed.build.target).includes('HEALTHCHECK');
      expect(needed?.healthcheck !== undefined || inImage, name).toBe(true);
    }
  });

  it.each(services)('%s mounts only declared volumes', (_, service) => {
    for (const mount of service.volumes ?? []) {
      expect(Object.keys(composition.volumes)).toContain(mount.split(':')[0]);
    }
  });
});

describe('Dockerfile', () => {
  it('starts files that the build makes', () => {
    const commands = [...dockerfile.matchAll(/^CMD \["node", "(.+)"\]$/gm)].map((match) => match[1] ?? '');
    expect(commands).toHaveLength(2);
    for (const command of commands) {
      expect(existsSync(join(root, command.replace('/dist/', '/src/').replace(/\.js$/, '.ts'))), command).toBe(true);
    }
  });
});

function stage(name: string): string {
  const from = dockerfile.indexOf(` AS ${name}\n`);
  const next = dockerfile.indexOf('\nFROM ', from);
  return dockerfile.slice(from, next < 0 ? undefined : next);
}
