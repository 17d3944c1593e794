import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { SignJWT, UnsecuredJWT, exportJWK, generateKeyPair, type CryptoKey, type JWK } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { IssuerKeys } from './issuer-keys.js';
import { oidcSettings, type OidcSettings } from './oidc-settings.js';
import { Tokens } from './tokens.js';

const MINUTE = 60_000;

interface SigningKey {
  readonly kid: string;
  readonly privateKey: CryptoKey;
  readonly jwk: JWK;
}

async function signingKey(kid: string): Promise<SigningKey> {
  const { privateKey, publicKey } = await generateKeyPair('ES256');
  return { kid, privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg: 'ES256', use: 'sig' } };
}

describe('tokens of an issuer', () => {
  let server: Server;
  let issuer: string;
  let settings: OidcSettings;
  let first: SigningKey;
  let second: SigningKey;
  let published: readonly SigningKey[];
  let discovery: () => object;
  let isDown: boolean;
  let asked: number;
  let uptime: number;
  let now: number;
  let tokens: Tokens;

  beforeAll(async () => {
    [first, second] = await Promise.all([signingKey('one'), signingKey('two')]);
    server = createServer((request, response) => {
      asked += 1;
      const body = request.url === '/keys' ? { keys: published.map(({ jwk }) => jwk) } : discovery();
      if (isDown) response.writeHead(503).end();
      else response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => server.close());

  beforeEach(() => {
    [published, isDown, asked, uptime, now] = [[first], false, 0, 0, Date.parse('2026-03-01T12:00:00Z')];
    discovery = () => ({ issuer, jwks_uri: `${issuer}/keys` });
    settings = settingsWith({});
    tokens = verifier();
  });

  function settingsWith(changed: Partial<Parameters<typeof oidcSettings>[0]>): OidcSettings {
    const roles = 'viewer=staff,operator=netops,admin=leads';
    const all = { issuer, audience: 'waymark', roleClaim: 'roles', roles, nameClaim: 'sub', ...changed };
    const settings = oidcSettings(all);
    if (settings === undefined) throw new Error('there is an issuer');
    return settings;
  }

  function verifier(): Tokens {
    const keys = new IssuerKeys(issuer, { now: () => uptime, onTrouble: () => undefined });
    return new Tokens(settings, keys, () => new Date(now));
  }

  function token(claims: Readonly<Record<string, unknown>> = {}, key = first, alg = 'ES256'): Promise<string> {
    const payload = { iss: issuer, aud: 'waymark', sub: 'ann', exp: now / 1000 + 300, roles: ['netops'], ...claims };
    return new SignJWT(payload).setProtectedHeader({ alg, kid: key.kid }).sign(key.privateKey);
  }

  const pass = (milliseconds: number) => {
    uptime += milliseconds;
    now += milliseconds;
  };
  const refused = { code: 'unauthenticated' };

  it('say who someone is, and give the highest of his roles', async () => {
    expect(await tokens.identify(await token())).toEqual({
      ...{ name: 'oidc:ann', role: 'operator', operations: null, credential: `oidc:${issuer}` },
    });
    expect(await tokens.identify(await token({ roles: ['staff', 'leads', 'others'] }))).toMatchObject({
      role: 'admin',
    });
    expect(await tokens.identify(await token({ roles: 'staff' }))).toMatchObject({ role: 'viewer' });
    expect(asked).toBe(2);
  });

  it('may keep roles deeper down, and another name', async () => {
    settings = settingsWith({ roleClaim: 'realm_access.roles', nameClaim: 'preferred_username' });
    tokens = verifier();
    const claims = { realm_access: { roles: ['staff'] }, preferred_username: 'ann\n@example', roles: ['leads'] };
    expect(await tokens.identify(await token(claims))).toMatchObject({
      name: 'oidc:ann\ufffd@example',
      role: 'viewer',
    });
  });

  it.each([
    ['without a role', { roles: [] }],
    ['with a role that means nothing here', { roles: ['admin'] }],
    ['with something else for roles', { roles: { leads: true } }],
  ])('are forbidden everything %s', async (_, claims) => {
    await expect(tokens.identify(await token(claims))).rejects.toMatchObject({ code: 'forbidden' });
  });

  it.each([
    ['for another service', { aud: 'billing' }, 'aud'],
    ['of another issuer', { iss: 'https://evil.example' }, 'iss'],
    ['that never ends', { exp: undefined }, 'exp'],
    ['of nobody', { sub: undefined }, 'sub'],
    ['of somebody without a name', { sub: '' }, 'sub'],
    ['of a number', { sub: 7 }, 'sub'],
    ['that is not yet good', { nbf: Date.parse('2026-03-01T12:00:31Z') / 1000 }, 'nbf'],
  ])('are refused %s', async (_, claims, claim) => {
    await expect(tokens.identify(await token(claims))).rejects.toMatchObject({
      ...refused,
      info: { detail: `the claim ${claim} of the token is not as it must be` },
    });
  });

  it('expire, give or take half a minute', async () => {
    const one = await token({ exp: now / 1000 });
    pass(29_000);
    expect(await tokens.identify(one)).toMatchObject({ name: 'oidc:ann' });
    pass(1_000);
    await expect(tokens.identify(one)).rejects.toThrow('the token has expired');
  });

  it('are refused when they are not signed, or not by the issuer', async () => {
    const one = await token();
    const unsigned = new UnsecuredJWT({ iss: issuer, aud: 'waymark', sub: 'ann', exp: now / 1000 + 300 }).encode();
    const secret = new TextEncoder().encode(JSON.stringify(first.jwk));
    const symmetric = await new SignJWT({ iss: issuer, aud: 'waymark', sub: 'ann', exp: now / 1000 + 300 })
      .setProtectedHeader({ alg: 'HS256', kid: 'one' })
      .sign(secret);
    const forged = await token({ roles: ['leads'] }, { ...second, kid: 'one' });
    const [head = '', , signature = ''] = one.split('.');
    const [, otherBody = ''] = (await token({ roles: ['leads'] })).split('.');
    const swapped = [head, otherBody, signature].join('.');
    for (const bad of [unsigned, symmetric, forged, swapped, `${one}x`, 'a.b.c', '..', 'x', 'é']) {
      await expect(tokens.identify(bad), bad).rejects.toMatchObject(refused);
    }
  });

  it('may be signed by a key that is new, and by none that was withdrawn', async () => {
    await tokens.identify(await token());
    published = [second];
    pass(10_000);
    const bySecond = await token({}, second);
    expect(await tokens.identify(bySecond)).toMatchObject({ name: 'oidc:ann' });
    await expect(tokens.identify(await token())).rejects.toMatchObject(refused);
  });

  it('of a withdrawn key are refused after ten minutes', async () => {
    const one = await token({ exp: now / 1000 + 3600 });
    await tokens.identify(one);
    published = [second];
    pass(10 * MINUTE);
    expect(await tokens.identify(one)).toMatchObject({ name: 'oidc:ann' });
    pass(1);
    await expect(tokens.identify(one)).rejects.toMatchObject(refused);
  });

  it('make nobody ask the issuer again and again', async () => {
    await tokens.identify(await token());
    for (let i = 0; i < 20; i++) {
      pass(100);
      await expect(tokens.identify(await token({}, second))).rejects.toMatchObject(refused);
    }
    expect(asked).toBe(2);
  });

  it('cannot be told while the issuer has never answered, and can as soon as it does', async () => {
    isDown = true;
    const one = await token();
    const unknown = { code: 'service-unavailable', info: { retryAfterSeconds: 10 } };
    await expect(tokens.identify(one)).rejects.toMatchObject(unknown);
    await expect(tokens.identify(one)).rejects.toMatchObject(unknown);
    expect(asked).toBe(1);
    isDown = false;
    pass(10_000);
    expect(await tokens.identify(one)).toMatchObject({ name: 'oidc:ann' });
  });

  it('are believed by known keys for an hour while the issuer is down', async () => {
    const one = await token({ exp: now / 1000 + 7200 });
    await tokens.identify(one);
    isDown = true;
    pass(59 * MINUTE);
    expect(await tokens.identify(one)).toMatchObject({ name: 'oidc:ann' });
    pass(2 * MINUTE);
    await expect(tokens.identify(one)).rejects.toMatchObject({ code: 'service-unavailable' });
  });

  it.each([
    ['of another issuer', () => ({ issuer: 'https://evil.example', jwks_uri: `${issuer}/keys` })],
    ['that leads to keys that could be altered on the way', () => ({ issuer, jwks_uri: 'http://evil.example/keys' })],
    ['without keys', () => ({ issuer })],
  ])('are not believed by a discovery document %s', async (_, document) => {
    discovery = document;
    await expect(tokens.identify(await token())).rejects.toMatchObject({ code: 'service-unavailable' });
  });

  it.each([
    [{ issuer: 'http://sso.example' }, 'WAYMARK_OIDC_ISSUER'],
    [{ issuer: 'sso' }, 'WAYMARK_OIDC_ISSUER'],
    [{ audience: undefined }, 'WAYMARK_OIDC_AUDIENCE'],
    [{ roles: 'root=leads' }, 'WAYMARK_OIDC_ROLES'],
    [{ roles: 'admin' }, 'WAYMARK_OIDC_ROLES'],
    [{ roles: 'admin=' }, 'WAYMARK_OIDC_ROLES'],
  ])('need settings that fit: %j', (changed, name) => {
    expect(() => settingsWith(changed)).toThrow(name);
  });

  it('may have roles with an equals sign, and the same one of ours for several of theirs', () => {
    expect([...settingsWith({ roles: 'viewer=cn=staff, viewer=all' }).roleOf]).toEqual([
      ['cn=staff', 'viewer'],
      ['all', 'viewer'],
    ]);
  });
});
