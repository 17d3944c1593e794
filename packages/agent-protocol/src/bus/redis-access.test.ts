import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { missingNeeds } from '../../../../test/require-program.js';
import { nodeChannel } from '../channel.js';
import { CertificateAuthority, writeTls } from '../testing/certificate-authority.js';
import { RedisServer } from '../testing/redis-server.js';
import { TlsFiles } from '../tls/tls-files.js';
import { RedisBus } from './redis-bus.js';

const missing = missingNeeds({ programs: ['redis-server', 'setpriv', 'redis-cli', 'openssl'] });
const suffix = missing === undefined ? '' : ` (skipped: ${missing})`;
const patient = { timeout: 20_000 };
const INSTANCE = '3b1f6f0e-0000-4000-8000-000000000000';
const h1 = nodeChannel(INSTANCE, 'h1');

let server: RedisServer;
let buses: RedisBus[];
let errors: Error[];

function busOf(url: string, tls?: TlsFiles): RedisBus {
  const bus = new RedisBus(url, (error) => errors.push(error), tls);
  buses.push(bus);
  return bus;
}

beforeEach(() => {
  buses = [];
  errors = [];
});

afterEach(async () => {
  for (const bus of buses) await bus.close();
  await server.stop('SIGKILL');
});

/** Publishes until it arrives on a channel that a bus has subscribed to. */
async function arrives(from: RedisBus, to: RedisBus, channel: string): Promise<void> {
  const heard: string[] = [];
  const subscription = await to.subscribe(channel, (payload) => heard.push(Buffer.from(payload).toString()));
  await vi.waitFor(async () => expect(await from.publish(channel, Buffer.from('x'))).toBe(true), patient);
  await vi.waitFor(() => expect(heard).toEqual(['x']), patient);
  await subscription.unsubscribe();
}

describe.skipIf(missing !== undefined)(`users of Redis as docs/distribution.md makes them${suffix}`, () => {
  function cli(...args: readonly string[]): void {
    const { stdout, stderr } = spawnSync('redis-cli', ['-p', String(server.port), ...args], { encoding: 'utf8' });
    expect(`${stdout}${stderr}`.trim()).toBe('OK');
  }

  /** The documented lines, with the names of the test. */
  function users(): string[][] {
    const page = readFileSync(join(import.meta.dirname, '../../../../docs/distribution.md'), 'utf8');
    const lines = [...page.matchAll(/^ACL SETUSER .*$/gm)].map(([line]) => line);
    expect(lines.map((line) => line.split(' ')[2])).toEqual(['waymark-controller', 'waymark-agent-<node>', 'default']);
    return lines.map((line) =>
      line
        .replaceAll('<node>', 'h1')
        .replaceAll(/<password[^>]*>/g, 'secret')
        .split(' '),
    );
  }

  beforeEach(async () => {
    server = await RedisServer.start();
    for (const user of users()) cli(...user);
  });

  it('carry deltas from controllers to the agent of the node', async () => {
    await arrives(busOf(server.urlOf('waymark-controller:secret')), busOf(server.urlOf('waymark-agent-h1:secret')), h1);
    expect(errors).toEqual([]);
  });

  it('do not let an agent publish, not even to itself, and say so once', async () => {
    const agent = busOf(server.urlOf('waymark-agent-h1:secret'));
    for (const channel of [h1, nodeChannel(INSTANCE, 'h2')]) {
      expect(await agent.publish(channel, Buffer.from('x'))).toBe(false);
    }
    expect(errors.map(({ message }) => message)).toEqual([
      expect.stringMatching(/ACL does not let the user of REDIS_URL do that: NOPERM .*publish/),
    ]);
  });

  it('do not let an agent hear of other nodes', async () => {
    const agent = busOf(server.urlOf('waymark-agent-h1:secret'));
    agent.subscribe(nodeChannel(INSTANCE, 'h2'), () => undefined).catch(() => undefined);
    await vi.waitFor(() => expect(errors[0]?.message).toMatch(/NOPERM .*channel/), patient);
    expect(agent.connected).toBe(false);
  });

  it('let controllers publish to nodes and nowhere else', async () => {
    const controller = busOf(server.urlOf('waymark-controller:secret'));
    expect(await controller.publish(h1, Buffer.from('x'))).toBe(true);
    expect(await controller.publish('elsewhere', Buffer.from('x'))).toBe(false);
    expect(errors.map(({ message }) => message)).toEqual([expect.stringContaining('NOPERM')]);
  });

  it.each([
    ['a wrong password', 'waymark-agent-h1:not-the-secret', /refuses the user or the password of REDIS_URL: WRONGPASS/],
    ['an unknown user', 'waymark-agent-h7:not-the-secret', /refuses the user or the password of REDIS_URL: WRONGPASS/],
    ['no user', '', /REDIS_URL has none: NOAUTH/],
  ])('turn %s away, which is told without telling the password', async (_, user, message) => {
    const agent = busOf(server.urlOf(user));
    const subscribed = agent.subscribe(h1, () => undefined);
    subscribed.catch(() => undefined);
    await vi.waitFor(() => expect(errors[0]?.message).toMatch(message), patient);
    expect(agent.connected).toBe(false);
    expect(inspect(errors, { depth: null, showHidden: true })).not.toContain('not-the-secret');
    expect(await agent.publish(h1, Buffer.from('x'))).toBe(false);
  });

  it('are heard as soon as the password is the right one', async () => {
    const agent = busOf(server.urlOf('waymark-agent-h1:later'));
    const subscribed = agent.subscribe(h1, () => undefined);
    await vi.waitFor(() => expect(errors[0]?.message).toContain('WRONGPASS'), patient);
    await server.stop();
    await server.start();
    const [controller = [], agentUser = []] = users();
    for (const user of [controller, agentUser.map((word) => word.replace('secret', 'later'))]) cli(...user);
    await subscribed;
    expect(agent.connected).toBe(true);
  });
});

describe.skipIf(missing !== undefined)(`Redis by TLS${suffix}`, () => {
  let folder: string;
  let ca: CertificateAuthority;
  let stranger: CertificateAuthority;
  let files: TlsFiles[];

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'waymark-redis-'));
    ca = new CertificateAuthority();
    stranger = new CertificateAuthority();
    files = [];
  });

  afterEach(() => {
    for (const each of files) each.close();
    for (const each of [ca, stranger]) each.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  async function start(authClients: 'yes' | 'no'): Promise<void> {
    const { ca: caFile, pair } = writeTls(join(folder, 'redis'), [ca.cert], ca.issue({ names: ['IP:127.0.0.1'] }));
    const own = ['--tls-ca-cert-file', caFile, '--tls-cert-file', pair.cert, '--tls-key-file', pair.key];
    server = await RedisServer.start({ tls: [...own, '--tls-auth-clients', authClients] });
  }

  /** Who trusts `trusted`, with or without a certificate of its own. */
  function filesOf(trusted: CertificateAuthority, own?: CertificateAuthority): TlsFiles {
    const issued = (own ?? ca).issue({ names: [], usage: 'clientAuth' });
    const { ca: caFile, pair } = writeTls(join(folder, 'client'), [trusted.cert], issued);
    const made = new TlsFiles({ ca: caFile, pair: own === undefined ? null : pair });
    files.push(made);
    return made;
  }

  it('needs its CA and nothing else', async () => {
    await start('no');
    await arrives(busOf(server.url, filesOf(ca)), busOf(server.url, filesOf(ca)), h1);
  });

  it('gets a certificate where it wants one', async () => {
    await start('yes');
    await arrives(busOf(server.url, filesOf(ca, ca)), busOf(server.url, filesOf(ca, ca)), h1);
    expect(await busOf(server.url, filesOf(ca)).publish(h1, Buffer.from('x'))).toBe(false);
    expect(await busOf(server.url, filesOf(ca, stranger)).publish(h1, Buffer.from('x'))).toBe(false);
  });

  it('is not believed when its certificate is of another CA, which is told', async () => {
    await start('no');
    for (const trust of [filesOf(stranger), undefined]) {
      errors = [];
      expect(await busOf(server.url, trust).publish(h1, Buffer.from('x'))).toBe(false);
      await vi.waitFor(() => expect(errors[0]?.message).toMatch(/self-signed|unable to (get|verify)/), patient);
    }
  });

  it('is believed as soon as the file has its CA', async () => {
    await start('no');
    const trust = filesOf(stranger);
    const agent = busOf(server.url, trust);
    const subscribed = agent.subscribe(h1, () => undefined);
    await vi.waitFor(() => expect(errors.length).toBeGreaterThan(0), patient);
    filesOf(ca);
    await trust.reread();
    await subscribed;
    expect(agent.connected).toBe(true);
  });
});
