import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { RedisBus } from '@waymark/agent-protocol';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { parse } from 'yaml';
import { readConfig as readControllerConfig, settingNames } from '../../apps/controller/src/config.js';
import { environmentSchema, readConfig as readAgentConfig } from '../../apps/node-agent/src/config.js';
import { freePort, ManagedProcess } from '../lab/managed-process.js';
import { missingNeeds } from '../require-program.js';

const root = join(import.meta.dirname, '..', '..');
const read = (file: string): string => readFileSync(join(root, file), 'utf8');

interface Service {
  readonly build?: { readonly target: string };
  readonly environment?: Readonly<Record<string, string>>;
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly configs?: readonly { readonly source: string; readonly target: string }[];
  readonly command?: readonly string[];
  readonly healthcheck?: object;
  readonly secrets?: readonly string[];
  readonly volumes?: readonly string[];
  readonly ports?: readonly string[];
  readonly user?: string;
  readonly cap_add?: readonly string[];
  readonly cap_drop?: readonly string[];
}

const composition = parse(read('docker-compose.yml'), { merge: true }) as {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: Readonly<Record<string, object | null>>;
  readonly configs: Readonly<Record<string, { readonly file: string }>>;
  readonly secrets: Readonly<Record<string, { readonly file: string }>>;
};
const dockerfile = read('Dockerfile');
const services = Object.entries(composition.services);
const built = services.filter(([, service]) => service.build !== undefined);
const settings: Readonly<Record<string, readonly string[]>> = {
  controller: settingNames,
  'node-agent': Object.keys(environmentSchema.properties),
};

/** What Compose makes of the variables of a file when the shell has none of them. */
function defaulted(environment: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const of = (text: string) => text.replaceAll(/\$\{\w+:-([^}]*)\}/g, '$1');
  return Object.fromEntries(Object.entries(environment).map(([name, value]) => [name, of(value)]));
}

/** The lines of a stage of the Dockerfile. */
function stage(name: string): string {
  const from = dockerfile.indexOf(` AS ${name}\n`);
  expect(from, `stage ${name}`).toBeGreaterThan(0);
  const next = dockerfile.indexOf('\nFROM ', from);
  return dockerfile.slice(from, next < 0 ? undefined : next);
}

describe('docker-compose.yml', () => {
  it('has two controllers on one Postgres and one Redis, and agents', () => {
    const targets = built.map(([, service]) => service.build?.target);
    expect(targets.filter((target) => target === 'controller')).toHaveLength(2);
    expect(targets.filter((target) => target === 'node-agent').length).toBeGreaterThan(1);
    const controllers = built.filter(([, service]) => service.build?.target === 'controller');
    for (const name of ['DATABASE_URL', 'REDIS_URL']) {
      expect(new Set(controllers.map(([, service]) => service.environment?.[name])).size, name).toBe(1);
    }
    expect(new Set(controllers.map(([, service]) => service.environment?.['WAYMARK_NAME'])).size).toBe(2);
  });

  it('hands the key of the first admin to controllers alone, from a file that gets into neither Git nor images', () => {
    const file = composition.secrets['admin-key']?.file;
    expect(file).toBe('${ADMIN_KEY_FILE:-./admin-key}');
    for (const list of ['.gitignore', '.dockerignore']) expect(read(list).split('\n')).toContain('admin-key');
    for (const [name, { build, environment, secrets }] of services) {
      const isController = build?.target === 'controller';
      expect(secrets, name).toEqual(isController ? ['admin-key'] : undefined);
      if (isController) expect(environment?.['WAYMARK_ADMIN_KEY_FILE'], name).toBe('/run/secrets/admin-key');
    }
  });

  it.each(built)('%s builds a stage and sets only what that program reads', (_, { build, environment = {} }) => {
    const target = build?.target ?? '';
    expect(stage(target)).not.toBe('');
    expect(settings[target]).toEqual(expect.arrayContaining(Object.keys(environment)));
  });

  it.each(services)('%s waits only for services that say when they are healthy, or that end', (_, service) => {
    for (const [name, { condition }] of Object.entries(service.depends_on ?? {})) {
      const needed = composition.services[name];
      expect(needed, name).toBeDefined();
      if (name === 'certificates') {
        expect(condition).toBe('service_completed_successfully');
        continue;
      }
      expect(condition).toBe('service_healthy');
      const inImage = needed?.build !== undefined && stage(needed.build.target).includes('HEALTHCHECK');
      expect(needed?.healthcheck !== undefined || inImage, name).toBe(true);
    }
  });

  it.each(services)('%s mounts only declared volumes and publishes on loopback only', (_, service) => {
    for (const mount of service.volumes ?? []) {
      expect(Object.keys(composition.volumes)).toContain(mount.split(':')[0]);
    }
    for (const port of service.ports ?? []) expect(port).toMatch(/^127\.0\.0\.1:/);
  });

  it('gives each program a certificate that its settings accept, and nobody the key of another', () => {
    const { certificates } = composition.services;
    const made = new Map((certificates?.volumes ?? []).map((mount) => mount.split(/:(?=\/)/) as [string, string]));
    for (const [name, { environment = {}, volumes = [], build }] of built) {
      const env = { ...defaulted(environment), WAYMARK_NODE_ID: 'h1' };
      const { grpcTls } = build?.target === 'controller' ? readControllerConfig(env) : readAgentConfig(env);
      const mounted = volumes.filter((mount) => mount.endsWith(':/etc/waymark/tls:ro'));
      expect(mounted, name).toHaveLength(1);
      for (const file of [grpcTls?.ca, grpcTls?.pair?.cert, grpcTls?.pair?.key]) {
        expect(file, name).toMatch(/^\/etc\/waymark\/tls\//);
      }
      const volume = mounted[0]?.split(':')[0] ?? '';
      if (name === 'headend') continue;
      const folder = build?.target === 'controller' ? 'controller' : `agents/${environment['WAYMARK_NODE_ID'] ?? ''}`;
      expect(made.get(volume), name).toBe(`/certificates/${folder}`);
    }
  });

  it('makes certificates with a script that there is, for the names by which controllers are reached', () => {
    const { command = [], configs = [] } = composition.services['certificates'] ?? {};
    for (const { source } of configs)
      expect(existsSync(join(root, composition.configs[source]?.file ?? ''))).toBe(true);
    const names = /controller (controller-.*)$/m.exec(command.join('\n'))?.[1]?.split(' ');
    const hosts = built.flatMap(([, { environment }]) =>
      (defaulted(environment ?? {})['WAYMARK_CONTROLLER'] ?? '').split(',').filter((address) => address !== ''),
    );
    expect(names).toEqual(expect.arrayContaining(hosts.map((address) => address.slice(0, address.lastIndexOf(':')))));
  });

  it('names services and ports that there are, wherever one speaks to another', () => {
    const text = JSON.stringify(composition.services);
    const names = [...text.matchAll(/(controller-\w+|postgres|redis):(\d+)/g)].map(([, name = '', port = '']) => ({
      name,
      port,
    }));
    expect(names.length).toBeGreaterThan(4);
    for (const { name, port } of names) {
      const service = composition.services[name];
      expect(service, name).toBeDefined();
      if (service?.build !== undefined)
        expect(stage(service.build.target)).toMatch(new RegExp(`^EXPOSE .*${port}`, 'm'));
    }
  });

  it('gives root and NET_ADMIN to the agent of the Linux data plane and to no other', () => {
    for (const [name, service] of built) {
      const linux = service.environment?.['WAYMARK_DATAPLANE'] === 'linux';
      expect(service.cap_drop, name).toEqual(['ALL']);
      expect(service.cap_add, name).toEqual(linux ? ['NET_ADMIN'] : undefined);
      expect(service.user, name).toBe(linux ? 'root' : undefined);
      expect(stage(service.build?.target ?? ''), name).toContain('\nUSER node\n');
    }
  });
});

const withoutRedis = missingNeeds({ programs: ['redis-server', 'redis-cli'] });

describe.skipIf(withoutRedis !== undefined)(
  `the Redis of docker-compose.yml${withoutRedis ? ` (${withoutRedis})` : ''}`,
  () => {
    const redis = composition.services['redis'];
    const plain = (text: string) => defaulted({ text })['text'] ?? '';
    let port: number;
    let server: ManagedProcess;

    beforeAll(async () => {
      port = await freePort('127.0.0.1');
      const asked = (redis?.command ?? []).map(plain);
      const own = ['--port', String(port), '--bind', '127.0.0.1', '--user', 'tests', 'on', 'nopass', '+@all'];
      server = ManagedProcess.spawn('redis', [...asked, ...own]);
      await server.printed(/Ready to accept connections/, 60_000);
    });
    afterAll(() => server.stop());

    const cli = (...args: readonly string[]) =>
      spawnSync('redis-cli', ['-p', String(port), '--user', 'tests', '--pass', 'any', '--no-auth-warning', ...args], {
        encoding: 'utf8',
      }).stdout.trim();
    const mayListen = (user: string, node: string) => cli('acl', 'dryrun', user, 'subscribe', `waymark:i:node:${node}`);

    it('lets controllers publish, and each agent hear its own node and nothing else', () => {
      expect(cli('acl', 'dryrun', 'waymark-controller', 'publish', 'waymark:i:node:dc-london', 'x')).toBe('OK');
      expect(cli('acl', 'dryrun', 'waymark-controller', 'publish', 'elsewhere', 'x')).toMatch(/no permissions/);
      expect(cli('acl', 'dryrun', 'waymark-controller', 'flushall')).toMatch(/no permissions/);
      expect(mayListen('waymark-agent-a', 'dc-london')).toBe('OK');
      expect(mayListen('waymark-agent-a', 'dc-frankfurt')).toMatch(/no permissions/);
      expect(mayListen('waymark-agent-b', 'dc-frankfurt')).toBe('OK');
      expect(mayListen('waymark-agent-b', 'dc-london')).toMatch(/no permissions/);
      expect(cli('acl', 'dryrun', 'waymark-agent-a', 'publish', 'waymark:i:node:dc-london', 'x')).toMatch(
        /no permissions/,
      );
      const nobody = spawnSync('redis-cli', ['-p', String(port), 'ping'], { encoding: 'utf8' });
      expect(nobody.stdout).toMatch(/NOAUTH|WRONGPASS/);
    });

    it('knows the passwords that controllers and agents are given, and is healthy', async () => {
      const urls = built.flatMap(([name, { environment = {} }]) => {
        const { REDIS_URL: url = '' } = defaulted(environment);
        return url === '' ? [] : [[name, url.replace('@redis:6379', `@127.0.0.1:${port}`)] as const];
      });
      expect(urls.map(([name]) => name)).toEqual(['controller-a', 'controller-b', 'agent-a', 'agent-b']);
      const troubles: string[] = [];
      const buses = urls.map(([name, url]) => new RedisBus(url, (error) => troubles.push(`${name}: ${String(error)}`)));
      const [controller, , agent] = buses;
      if (controller === undefined || agent === undefined) throw new Error('there is no controller or agent');
      const heard: string[] = [];
      await agent.subscribe('waymark:i:node:dc-london', (bytes) => void heard.push(Buffer.from(bytes).toString()));
      expect(await controller.publish('waymark:i:node:dc-london', Buffer.from('hello'))).toBe(true);
      await vi.waitFor(() => expect(heard).toEqual(['hello']), { timeout: 60_000 });
      expect(troubles).toEqual([]);
      for (const bus of buses) await bus.close();
      const [, test = ''] = (redis?.healthcheck as { test: readonly string[] }).test;
      const healthy = spawnSync('sh', ['-c', test.replace('redis-cli', `redis-cli -p ${port}`)]);
      expect(healthy.status).toBe(0);
    }, 90_000);
  },
);

describe.each(Object.keys(settings))('the image of the %s', (target) => {
  const lines = stage(target);
  const [, portName = ''] = /process\.env\.(\w+)/.exec(lines) ?? [];
  const healthcheck = JSON.parse(/HEALTHCHECK[^[]*(\[.*\])$/m.exec(lines)?.[1] ?? '[]') as string[];
  let server: Server;
  let healthy = true;
  let asked = '';

  beforeAll(async () => {
    server = createServer((request, response) => {
      asked = request.url ?? '';
      response.writeHead(healthy ? 200 : 503).end();
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  afterAll(() => server.close());

  async function check(port: number): Promise<unknown> {
    const [program = '', ...args] = healthcheck;
    const child = spawn(program, args, { env: { ...process.env, [portName]: String(port) } });
    const [code] = (await once(child, 'exit')) as [number];
    return code;
  }

  it('starts a file that the build makes, and sets only what it reads', () => {
    const command = /^CMD \["node", "(.+)"\]$/m.exec(lines)?.[1] ?? '';
    expect(existsSync(join(root, command.replace('/dist/', '/src/').replace(/\.js$/, '.ts'))), command).toBe(true);
    const set = [...lines.matchAll(/\b(WAYMARK_\w+)=/g)].map(([, name]) => name);
    expect(set).toContain(portName);
    expect(settings[target]).toEqual(expect.arrayContaining(set));
  });

  it('is healthy exactly when the program says so', async () => {
    const { port } = server.address() as AddressInfo;
    healthy = true;
    expect(await check(port)).toBe(0);
    expect(asked).toBe(target === 'controller' ? '/readyz' : '/healthz');
    healthy = false;
    expect(await check(port)).toBe(1);
    expect(await check(1)).toBe(1);
  });
});
