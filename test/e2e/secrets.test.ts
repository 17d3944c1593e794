import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer, type Server } from 'node:http';
import { connect, createServer, type AddressInfo, type Server as TcpServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { SignJWT, exportJWK, generateKeyPair } from 'jose';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import document from '../../openapi/openapi.json' with { type: 'json' };
import { eventually } from '../../apps/controller/src/testing/eventually.js';
import { createTestDatabase, type TestDatabase } from '../../apps/controller/src/testing/test-database.js';
import {
  CertificateAuthority,
  uriOf,
  writeTls,
} from '../../packages/agent-protocol/src/testing/certificate-authority.js';
import { RedisServer } from '../../packages/agent-protocol/src/testing/redis-server.js';
import { OpenApiDocument, type Operation } from '../contract/openapi-document.js';
import { freePort, ManagedProcess } from '../lab/managed-process.js';
import { missingNeeds } from '../require-program.js';
import { root } from '../started-system.js';

/*
 * A controller and an agent as processes of their own, at the level `trace`, every setting with a secret that can be recognised.
 * They are asked everything, by everybody, and lose everything they need. Then no secret is in anything they said or stored.
 */
const missing = missingNeeds({ programs: ['redis-server', 'openssl', 'setpriv'] });
const patient = 60_000;
const operations = new OpenApiDocument(document).operations;

const secret = () => `s3cr3t${randomBytes(18).toString('hex')}`;

describe.skipIf(missing !== undefined)(`secrets${missing === undefined ? '' : ` (${missing})`}`, () => {
  const secrets = new Map<string, string>();
  const told: { readonly where: string; readonly text: string }[] = [];
  const running: ManagedProcess[] = [];
  const hidden = (name: string, value = secret()): string => {
    secrets.set(name, value);
    return value;
  };
  const hear = (where: string, text: string) => told.push({ where, text });

  let folder: string;
  let database: TestDatabase;
  let role: string;
  let postgres: { readonly url: string; readonly cut: () => void; readonly close: () => Promise<void> };
  let redis: RedisServer;
  let redisAdmin: Redis;
  let ca: CertificateAuthority;
  let issuer: Server;
  let tokens: readonly string[];
  let controller: ManagedProcess;
  let agent: ManagedProcess;
  let url: string;
  let status: string;
  let adminKey: string;
  let keyFile: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'waymark-secrets-'));
    chmodSync(folder, 0o755);
    database = await createTestDatabase();
    role = `waymark_secrets_${randomBytes(4).toString('hex')}`;
    const password = hidden('password of Postgres');
    await sql.raw(`create role ${role} superuser login password '${password}'`).execute(database.db);
    postgres = await cuttable(database.url, role, password);
    redis = await RedisServer.start();
    redisAdmin = new Redis(redis.url);
    for (const user of ['controller', 'agent']) await redisUser(user, hidden(`password of the ${user} in Redis`));
    ca = new CertificateAuthority();
    const files = (name: string, names: readonly string[]) => {
      const issued = ca.issue({ names });
      for (const line of issued.key.split('\n').filter((text) => text.length > 30 && !text.startsWith('-')))
        hidden(`key of the ${name}: ${line.slice(0, 4)}…`, line);
      const { ca: caFile, pair } = writeTls(join(folder, name), [ca.cert], issued);
      keyFile = name === 'controller' ? pair.key : keyFile;
      return {
        WAYMARK_GRPC_CA_FILE: caFile,
        WAYMARK_GRPC_CERT_FILE: pair.cert,
        WAYMARK_GRPC_KEY_FILE: pair.key,
      };
    };
    adminKey = hidden('key of the first admin');
    writeFileSync(join(folder, 'admin-key'), adminKey);
    const cluster = { server: 'https://127.0.0.1:1', 'insecure-skip-tls-verify': true };
    const kubeconfig = {
      ...{ apiVersion: 'v1', kind: 'Config', 'current-context': 'paris' },
      contexts: [{ name: 'paris', context: { cluster: 'paris', user: 'waymark' } }],
      clusters: [{ name: 'paris', cluster }],
      users: [{ name: 'waymark', user: { token: hidden('token of the cluster') } }],
    };
    writeFileSync(join(folder, 'kubeconfig'), JSON.stringify(kubeconfig));
    const clusters = { clusters: [{ name: 'paris', kubeconfig: join(folder, 'kubeconfig') }] };
    writeFileSync(join(folder, 'clusters'), JSON.stringify(clusters));
    const grpcPort = await freePort('127.0.0.1');
    const statusPort = await freePort('127.0.0.1');
    status = `http://127.0.0.1:${String(statusPort)}`;
    const issuerUrl = await startIssuer();

    controller = spawn('controller', 'apps/controller/dist/main.js', {
      ...{ DATABASE_URL: postgres.url, WAYMARK_ADMIN_KEY_FILE: join(folder, 'admin-key'), WAYMARK_DEMO: 'topology' },
      // each key asks for everything, again and again
      ...{ WAYMARK_RATE_LIMIT: '0', WAYMARK_RATE_LIMIT_REFUSED: '0' },
      ...{
        WAYMARK_HTTP_PORT: '0',
        WAYMARK_GRPC_PORT: String(grpcPort),
        WAYMARK_DATA_DIR: folder,
        WAYMARK_WORKERS: '1',
      },
      ...{
        WAYMARK_OIDC_ISSUER: issuerUrl,
        WAYMARK_OIDC_AUDIENCE: 'waymark',
        WAYMARK_KUBERNETES: join(folder, 'clusters'),
      },
      REDIS_URL: redis.urlOf(`controller:${secrets.get('password of the controller in Redis') ?? ''}`),
      ...files('controller', ['IP:127.0.0.1']),
    });
    const [, printed = ''] = await controller.printed(/^API: (\S+)$/m, 120_000);
    url = printed;
    agent = spawn('agent', 'apps/node-agent/dist/main.js', {
      ...{
        WAYMARK_NODE_ID: 'dc-london',
        WAYMARK_CONTROLLER: `127.0.0.1:${String(grpcPort)}`,
        WAYMARK_DATA_DIR: folder,
      },
      WAYMARK_STATUS_PORT: String(statusPort),
      REDIS_URL: redis.urlOf(`agent:${secrets.get('password of the agent in Redis') ?? ''}`),
      ...files('agent', [uriOf('dc-london')]),
    });
    await agent.printed(/a session with a controller begins/, 120_000);
  }, 240_000);

  afterAll(async () => {
    for (const one of running) await one.stop('SIGKILL');
    issuer.close();
    redisAdmin.disconnect();
    await redis.stop('SIGKILL');
    await postgres.close();
    await sql.raw(`drop owned by ${role}; drop role ${role}`).execute(database.db);
    await database.drop();
    ca.remove();
    rmSync(folder, { recursive: true, force: true });
  }, 120_000);

  function spawn(name: string, program: string, settings: NodeJS.ProcessEnv): ManagedProcess {
    const environment = { ...settings, WAYMARK_LOG_LEVEL: 'trace' };
    const one = ManagedProcess.spawn(name, [process.execPath, join(root, program)], environment);
    running.push(one);
    return one;
  }

  async function redisUser(name: string, password: string): Promise<void> {
    await redisAdmin.call(
      'ACL',
      'SETUSER',
      name,
      'reset',
      'on',
      `>${password}`,
      '&waymark:*',
      '+publish',
      '+subscribe',
    );
    await redisAdmin.call('ACL', 'SETUSER', name, '+unsubscribe');
  }

  /** An issuer of tokens: a good one, one that has ended, one for others, one that nobody signed for. */
  async function startIssuer(): Promise<string> {
    const { privateKey, publicKey } = await generateKeyPair('ES256');
    const { privateKey: others } = await generateKeyPair('ES256');
    const jwk = { ...(await exportJWK(publicKey)), kid: 'one', alg: 'ES256', use: 'sig' };
    issuer = createHttpServer((request, response) => {
      const at = `http://${request.headers.host ?? ''}`;
      const body = request.url === '/keys' ? { keys: [jwk] } : { issuer: at, jwks_uri: `${at}/keys` };
      response.setHeader('content-type', 'application/json').end(JSON.stringify(body));
    }).listen(0, '127.0.0.1');
    await once(issuer, 'listening');
    const at = `http://127.0.0.1:${String((issuer.address() as AddressInfo).port)}`;
    const now = Math.floor(Date.now() / 1000);
    const good = { iss: at, aud: 'waymark', sub: 'ann', exp: now + 3_600, roles: ['operator'] };
    const claims = [good, { ...good, exp: now - 3_600 }, { ...good, aud: 'others' }, good];
    tokens = await Promise.all(
      claims.map((payload, i) =>
        new SignJWT(payload).setProtectedHeader({ alg: 'ES256', kid: 'one' }).sign(i === 3 ? others : privateKey),
      ),
    );
    tokens.forEach((token, i) => hidden(`token ${String(i)}`, token.split('.')[2] ?? ''));
    return at;
  }

  async function ask(method: string, path: string, headers: Readonly<Record<string, string>>, body?: string) {
    const stop = new AbortController();
    const response = await fetch(url + path, {
      method,
      headers,
      signal: stop.signal,
      ...(body === undefined ? {} : { body }),
    });
    const isEndless = response.headers.get('content-type')?.startsWith('text/event-stream') === true;
    const text = isEndless ? '' : await response.text();
    if (isEndless) stop.abort();
    return { status: response.status, text, head: JSON.stringify(Object.fromEntries(response.headers)) };
  }

  async function askAndHear(...request: Parameters<typeof ask>): Promise<number> {
    const { status, text, head } = await ask(...request);
    hear(`${request[0]} ${request[1]}`, `${head}\n${text}`);
    return status;
  }

  function urlOf({ path, parameters }: Operation): string {
    return parameters
      .filter((one) => one.in === 'path')
      .reduce((text, { name, example }) => text.replace(`{${name}}`, encodeURIComponent(String(example))), path);
  }

  /** Everything that can be asked, once as it should be and once with a body that is broken. */
  async function askEverything(credential: string): Promise<void> {
    for (const operation of operations) {
      const headers = { authorization: credential, 'content-type': 'application/json', 'if-match': '*' };
      const [example] = Object.values(operation.requestBody?.content['application/json']?.examples ?? {});
      const body = example === undefined ? undefined : JSON.stringify(example.value);
      // what it makes is a secret that its bearer has to be shown, once
      if (['createApiKey', 'rotateApiKey'].includes(operation.operationId)) continue;
      await askAndHear(operation.method, urlOf(operation), headers, body);
      if (body !== undefined) await askAndHear(operation.method, urlOf(operation), headers, body.slice(1));
    }
    for (const path of ['/docs/', '/docs/json', '/openapi.json', '/v2', '/%zz', '/v1/nodes?limit=x']) {
      await askAndHear('GET', path, { authorization: credential });
    }
  }

  it('are shown to nobody who asks, with whatever credential', async () => {
    const admin = { authorization: `Bearer ${adminKey}`, 'content-type': 'application/json' };
    const issue = async (path: string, body: object): Promise<string> => {
      const { text } = await ask('POST', path, admin, JSON.stringify(body));
      const { secret: issued } = JSON.parse(text) as { readonly secret: string };
      return (
        hidden(`API key of ${path} ${JSON.stringify(body)}`, issued.slice('wmk_0123456789abcdef_'.length)) && issued
      );
    };
    const issued = [
      await issue('/v1/api-keys', { name: 'root', role: 'admin' }),
      await issue('/v1/api-keys', { name: 'reader', role: 'viewer' }),
      await issue('/v1/api-keys/root/rotate', {}),
      await issue('/v1/api-keys', {
        name: 'short',
        role: 'viewer',
        expiresAt: new Date(Date.now() + 1_000).toISOString(),
      }),
    ];
    for (const credential of [adminKey, issued[1], tokens[0]]) await askEverything(`Bearer ${credential ?? ''}`);
    for (const credential of [...issued, ...tokens])
      await askAndHear('GET', '/v1/nodes', { authorization: `Bearer ${credential}` });
    for (const credential of [
      `Basic ${adminKey}`,
      adminKey,
      `Bearer ${adminKey} x`,
      `Bearer ${adminKey}x`,
      'Bearer x',
    ]) {
      expect(await askAndHear('GET', '/v1/nodes', { authorization: credential })).toBe(401);
    }
    // a good key and a good token were really let in
    expect(await askAndHear('GET', '/v1/nodes', { authorization: `Bearer ${issued[0] ?? ''}` })).toBe(200);
    expect(await askAndHear('GET', '/v1/audit', { authorization: `Bearer ${tokens[0] ?? ''}` })).toBe(200);
    for (const path of ['/status', '/metrics', '/healthz'])
      hear(`agent ${path}`, await (await fetch(status + path)).text());
  }, 240_000);

  it('are not told when what they are for refuses them, breaks or is gone', async () => {
    for (const user of ['controller', 'agent']) {
      await redisUser(user, 'another');
      await redisAdmin.call('CLIENT', 'KILL', 'USER', user);
    }
    await controller.printed(/Redis cannot be used/, patient);
    await agent.printed(/Redis cannot be used/, patient);
    writeFileSync(keyFile, readFileSync(keyFile, 'utf8').replaceAll('\n', 'x\n'));
    await controller.printed(/the new certificates cannot be used/, patient);
    issuer.close();
    issuer.closeAllConnections();
    postgres.cut();
    const authorization = `Bearer ${adminKey}`;
    await eventually(async () => expect((await ask('GET', '/readyz', {})).status).toBe(503));
    for (const path of ['/readyz', '/healthz', '/metrics', '/v1/nodes', '/v1/audit', '/v1/api-keys']) {
      await askAndHear('GET', path, { authorization });
    }
    expect(await askAndHear('GET', '/v1/audit', { authorization })).toBe(503);
    await controller.printed(/the database does not answer/, patient);
    await controller.printed(/the leadership session was lost/, patient);
  }, 240_000);

  it('are not told when something does not start for them', async () => {
    const starts = [
      ['controller', 'DATABASE_URL', 'postgres://waymark:*@127.0.0.1:1/waymark'],
      ['controller', 'DATABASE_URL', 'mysql://waymark:*@127.0.0.1:1/waymark'],
      ['controller', 'DATABASE_URL', 'postgres://waymark:*@127.0.0.1:99999/waymark'],
      ['controller', 'REDIS_URL', 'redis://waymark:*@127.0.0.1:99999'],
      ['controller', 'REDIS_URL', 'redis://waymark:#*@127.0.0.1:1'],
      ['controller', 'WAYMARK_OIDC_ISSUER', 'https://waymark:*@127.0.0.1:1'],
      ['node-agent', 'REDIS_URL', 'http://waymark:*@127.0.0.1:1'],
      ['node-agent', 'REDIS_URL', 'redis://waymark:*@127.0.0.1:99999'],
    ] as const;
    const ends = await Promise.all(
      starts.map(async ([app, setting, value]) => {
        const one = spawn(app, `apps/${app}/dist/main.js`, {
          ...{ WAYMARK_NODE_ID: 'x', WAYMARK_DATA_DIR: join(folder, 'none'), WAYMARK_STATUS_PORT: '0' },
          ...{ WAYMARK_HTTP_PORT: '0', WAYMARK_GRPC_PORT: '0', WAYMARK_ADMIN_KEY_FILE: join(folder, 'admin-key') },
          ...{ DATABASE_URL: 'postgres://127.0.0.1:1/x' },
          [setting]: value.replace('*', hidden(`what ${app} was given as ${value}`)),
        });
        return { value, end: await one.ended(), namesSetting: one.output.includes(setting) };
      }),
    );
    expect(ends).toEqual(starts.map(([, , value]) => ({ value, end: 'exit 1', namesSetting: true })));
  }, 240_000);

  it('are in nothing that was said, logged or stored', async () => {
    for (const one of running) hear('a log', one.output);
    const { rows } = await sql<{ name: string }>`
      select format('%I', tablename) as name from pg_tables where schemaname = 'public'
    `.execute(database.db);
    for (const { name } of rows) {
      const { rows: lines } = await sql<{ line: string }>`select t::text as line from ${sql.raw(name)} t`.execute(
        database.db,
      );
      hear(`table ${name}`, lines.map(({ line }) => line).join('\n'));
    }
    const signing = await sql<{ key: Buffer }>`select private_key as key from signing_key`.execute(database.db);
    const key = signing.rows[0]?.key ?? Buffer.of();
    expect(key.length).toBeGreaterThan(31);
    hidden('key that signs, base64', key.toString('base64'));
    hidden('key that signs, hexadecimal', key.toString('hex'));
    const all = told.filter(({ where }) => where !== 'table signing_key');
    expect(all.map(({ where }) => where)).toEqual(
      expect.arrayContaining(['GET /metrics', 'table audit', 'agent /status']),
    );
    for (const [name, value] of secrets) {
      expect(value.length, name).toBeGreaterThan(20);
      for (const form of [value, Buffer.from(value).toString('base64').slice(0, -4), encodeURIComponent(value)]) {
        const where = all
          .filter(({ text }) => text.includes(form))
          .map((one) => `${one.where}: ${around(one.text, form)}`);
        expect(where, name).toEqual([]);
      }
    }
  }, 120_000);
});

function around(text: string, part: string): string {
  const at = text.indexOf(part);
  return text.slice(Math.max(0, at - 150), at + part.length + 50);
}

/** Postgres behind a relay that can be cut: whoever connects after that is turned away. */
async function cuttable(databaseUrl: string, user: string, password: string) {
  const to = new URL(databaseUrl);
  const sockets = new Set<Socket>();
  const server: TcpServer = createServer((client) => {
    const upstream = connect(Number(to.port), to.hostname);
    for (const [from, into] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(from);
      from.on('error', () => into.destroy()).on('close', () => into.destroy());
      from.pipe(into);
    }
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const at = new URL(databaseUrl);
  at.host = `127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  [at.username, at.password] = [user, password];
  const cut = () => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  const close = async () => {
    cut();
    if (server.listening) await once(server, 'close');
  };
  return { url: at.href, cut, close };
}
