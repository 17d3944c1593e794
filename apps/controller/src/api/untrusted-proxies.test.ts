import { afterEach, describe, expect, it } from 'vitest';
import { testApp } from '../testing/test-app.js';
import { noRateLimits } from './limits.js';
import type { ApiApp } from './type-provider.js';

let app: ApiApp | undefined;
afterEach(() => app?.close());

async function open(trustedProxies: readonly string[]) {
  const opened = await testApp({}, { rates: { ...noRateLimits, trustedProxies } });
  app = opened.app;
  const from = (remoteAddress: string, forwarded?: string) =>
    opened.app.inject({
      url: '/healthz',
      remoteAddress,
      headers: forwarded === undefined ? {} : { 'x-forwarded-for': forwarded },
    });
  const told = () => opened.log.map((line) => (JSON.parse(line) as { readonly from?: string }).from);
  return { from, told, log: opened.log };
}

describe('an address that speaks for others', () => {
  it('is told once, with the setting that would trust it', async () => {
    const { from, told, log } = await open([]);
    await from('192.0.2.1');
    expect(log).toEqual([]);
    for (let i = 0; i < 3; i++) await from('192.0.2.1', `203.0.113.${i}`);
    await from('192.0.2.2', '203.0.113.1');
    expect(told()).toEqual(['192.0.2.1', '192.0.2.2']);
    expect(log[0]).toContain('WAYMARK_TRUSTED_PROXIES');
    expect(log[0]).toContain('X-Forwarded-For comes from an address that is no trusted proxy');
  });

  it('is not told when it is trusted, whomever it speaks for', async () => {
    const { from, told } = await open(['192.0.2.0/24']);
    await from('192.0.2.1', '203.0.113.1');
    await from('192.0.2.1', '192.0.2.1');
    await from('192.0.2.1', '203.0.113.1, 192.0.2.2');
    expect(told()).toEqual([]);
    await from('198.51.100.1', '192.0.2.1');
    expect(told()).toEqual(['198.51.100.1']);
  });

  it('cannot fill the log', async () => {
    const { from, log } = await open([]);
    for (let i = 1; i <= 40; i++) await from(`192.0.2.${i}`, '203.0.113.1');
    expect(log).toHaveLength(16);
  });
});
