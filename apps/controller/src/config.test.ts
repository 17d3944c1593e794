import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { StartFault } from './model/start-fault.js';
import { isReadableOnTheWay, readConfig, repositoryRoot, settingNames } from './config.js';

describe('settings of the controller', () => {
  it('are all documented, and nothing else is', () => {
    const page = readFileSync(join(repositoryRoot, 'docs', 'operating.md'), 'utf8');
    const documented = [...page.matchAll(/^\| `([A-Z_]+)` +\|/gm)].map((match) => match[1]);
    expect(new Set(documented)).toEqual(new Set(settingNames));
  });

  it('have defaults that stay on loopback and need nothing set up', () => {
    const config = readConfig({});
    expect([config.httpHost, config.grpcHost]).toEqual(['127.0.0.1', '127.0.0.1']);
    expect(config.databaseUrl).toBeUndefined();
    expect(config.demoAgents).toBe(true);
  });

  it('treat an empty variable as unset', () => {
    expect(readConfig({ REDIS_URL: '', WAYMARK_HTTP_PORT: '' })).toEqual({ ...readConfig({}) });
  });

  it('load no demo into a database of the operator unless asked', () => {
    const databaseUrl = 'postgres://db/waymark';
    expect(readConfig({ DATABASE_URL: databaseUrl }).demoTopology).toBeUndefined();
    const asked = readConfig({ DATABASE_URL: databaseUrl, WAYMARK_DEMO: 'topology' });
    expect(asked.demoTopology).toContain('geant');
    expect(asked.demoAgents).toBe(false);
  });

  const certificates = { WAYMARK_GRPC_CA_FILE: 'ca', WAYMARK_GRPC_CERT_FILE: 'cert', WAYMARK_GRPC_KEY_FILE: 'key' };

  it('refuse agents in the clear beyond loopback, unless that is asked for', () => {
    const open = { WAYMARK_GRPC_HOST: '0.0.0.0' };
    expect(() => readConfig(open)).toThrow(StartFault);
    expect(() => readConfig(open)).toThrow(/^WAYMARK_GRPC_HOST leads beyond this machine .*WAYMARK_GRPC_CERT_FILE/);
    expect(readConfig({ ...open, WAYMARK_GRPC_INSECURE: 'true' })).toMatchObject({
      grpcTls: undefined,
      grpcInsecure: true,
    });
    expect(readConfig({ ...open, ...certificates }).grpcTls).toEqual({ ca: 'ca', pair: { cert: 'cert', key: 'key' } });
  });

  it('revoke certificates of agents only where agents show them', () => {
    const revoked = { WAYMARK_GRPC_REVOKED_FILE: 'revoked' };
    expect(readConfig({ ...certificates, ...revoked }).grpcRevokedFile).toBe('revoked');
    expect(() => readConfig(revoked)).toThrow(/^WAYMARK_GRPC_REVOKED_FILE needs WAYMARK_GRPC_CA_FILE/);
  });

  it('run no agents without certificates where agents need them', () => {
    expect(readConfig(certificates)).toMatchObject({ demoAgents: false, demoTopology: expect.any(String) as string });
    expect(() => readConfig({ ...certificates, WAYMARK_DEMO: 'on' })).toThrow(/^WAYMARK_DEMO must not be "on"/);
  });

  it('tell when keys can be read on the way', () => {
    const tls = { WAYMARK_TLS_CERT_FILE: 'cert', WAYMARK_TLS_KEY_FILE: 'key' };
    for (const host of ['127.0.0.1', '::1', 'localhost']) {
      expect(isReadableOnTheWay(readConfig({ WAYMARK_HTTP_HOST: host })), host).toBe(false);
    }
    for (const host of ['0.0.0.0', '::', '192.0.2.1', 'controller-1']) {
      expect(isReadableOnTheWay(readConfig({ WAYMARK_HTTP_HOST: host })), host).toBe(true);
      expect(isReadableOnTheWay(readConfig({ WAYMARK_HTTP_HOST: host, ...tls })), host).toBe(false);
    }
  });

  it('take the certificate of the REST API together with its key', () => {
    const settings = { WAYMARK_TLS_CERT_FILE: 'cert', WAYMARK_TLS_KEY_FILE: 'key' };
    expect(readConfig(settings).httpTls).toEqual({ ca: null, pair: { cert: 'cert', key: 'key' } });
    expect(readConfig({}).httpTls).toBeUndefined();
    expect(() => readConfig({ WAYMARK_TLS_CERT_FILE: 'cert' })).toThrow(/WAYMARK_TLS_KEY_FILE must be set together/);
  });

  it('take files of TLS for Redis only where Redis speaks TLS', () => {
    const settings = { REDIS_URL: 'rediss://redis', REDIS_CA_FILE: 'ca' };
    expect(readConfig(settings).redisTls).toEqual({ ca: 'ca', pair: null });
    expect(() => readConfig({ ...settings, REDIS_URL: 'redis://redis' })).toThrow(StartFault);
  });

  it.each([
    ['WAYMARK_HTTP_PORT', '70000'],
    ['WAYMARK_HTTP_PORT', 'http'],
    ['DATABASE_URL', 'mysql://db'],
    ['DATABASE_URL', 'postgres://db:99999/waymark'],
    ['REDIS_URL', 'redis://waymark:pass#word@db'],
    ['WAYMARK_BSID_POOL', 'fdbb::/64'],
    ['WAYMARK_BSID_POOL', '10.0.0.0/8'],
    ['WAYMARK_BSID_POOL', 'nonsense'],
    ['WAYMARK_DEMO', 'yes'],
    ['WAYMARK_LOG_LEVEL', 'loud'],
  ])('refuse %s=%s and name the variable', (name, value) => {
    expect(() => readConfig({ [name]: value })).toThrow(name);
  });

  it('limit clients wherever others than programs on this machine can ask', () => {
    const { refused, perClient } = readConfig({ DATABASE_URL: 'postgres://db/waymark' }).rates;
    expect(Math.min(refused, perClient)).toBeGreaterThan(0);
    expect(readConfig({ WAYMARK_HTTP_HOST: '::' }).rates).toMatchObject({ refused, perClient });
    expect(readConfig({}).rates).toEqual({ refused: 0, perClient: 0, trustedProxies: [] });
    expect(readConfig({ WAYMARK_RATE_LIMIT: '7' }).rates).toMatchObject({ perClient: 7 });
  });

  it('take proxies by address and prefix only', () => {
    const proxies = (list: string) => readConfig({ WAYMARK_TRUSTED_PROXIES: list }).rates.trustedProxies;
    expect(proxies('10.0.0.1, 2001:db8::/32')).toEqual(['10.0.0.1', '2001:db8::/32']);
    for (const wrong of ['proxy', '10.0.0.0/33', '10.0.0.0/0', '::/129', '10.0.0.1/8/8', '10.0.0.1/']) {
      expect(() => proxies(wrong), wrong).toThrow(StartFault);
    }
  });
});
