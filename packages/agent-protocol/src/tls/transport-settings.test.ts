import { describe, expect, it } from 'vitest';
import { isLoopback } from './loopback.js';
import { grpcTlsPaths, redisTlsPaths } from './transport-settings.js';

const none = { WAYMARK_GRPC_INSECURE: false };
const all = {
  ...none,
  WAYMARK_GRPC_CA_FILE: 'ca',
  WAYMARK_GRPC_CERT_FILE: 'cert',
  WAYMARK_GRPC_KEY_FILE: 'key',
};
const redis = { ...none, REDIS_URL: 'rediss://redis' };

describe('loopback', () => {
  it.each([
    '127.0.0.1',
    '127.9.9.9',
    '::1',
    '[::1]',
    '0:0:0:0:0:0:0:1',
    'localhost',
    'LOCALHOST',
    'unix:/run/controller',
  ])('%s', (host) => {
    expect(isLoopback(host)).toBe(true);
  });
  it.each(['0.0.0.0', '::', '[::]', '192.0.2.1', '::2', 'localhost.example.net', '127.0.0.1.example.net', ''])(
    'not %s',
    (host) => {
      expect(isLoopback(host)).toBe(false);
    },
  );
});

describe('settings of gRPC', () => {
  it('take certificates wherever the other side is', () => {
    const paths = { ca: 'ca', pair: { cert: 'cert', key: 'key' } };
    for (const host of ['127.0.0.1', '::']) expect(grpcTlsPaths(all, 'WAYMARK_GRPC_HOST', [host])).toEqual(paths);
  });

  it('need none on loopback, nor where an operator says so', () => {
    expect(grpcTlsPaths(none, 'WAYMARK_CONTROLLER', ['127.0.0.1', '[::1]'])).toBeUndefined();
    expect(grpcTlsPaths({ WAYMARK_GRPC_INSECURE: true }, 'WAYMARK_CONTROLLER', ['192.0.2.1'])).toBeUndefined();
  });

  it('refuse the clear beyond this machine, and say what to set', () => {
    expect(() => grpcTlsPaths(none, 'WAYMARK_CONTROLLER', ['127.0.0.1', '192.0.2.1'])).toThrow(
      /^WAYMARK_CONTROLLER leads beyond this machine \(192\.0\.2\.1\).*WAYMARK_GRPC_CA_FILE.*WAYMARK_GRPC_INSECURE=true/,
    );
  });

  it.each(['WAYMARK_GRPC_CA_FILE', 'WAYMARK_GRPC_CERT_FILE', 'WAYMARK_GRPC_KEY_FILE'] as const)(
    'refuse to go without %s when the others are there',
    (name) => {
      const rest = Object.fromEntries(Object.entries(all).filter(([key]) => key !== name)) as typeof none;
      expect(() => grpcTlsPaths(rest, 'WAYMARK_GRPC_HOST', ['127.0.0.1'])).toThrow('must be set together');
    },
  );

  it('refuse certificates that are not to be used', () => {
    const both = { ...all, WAYMARK_GRPC_INSECURE: true };
    expect(() => grpcTlsPaths(both, 'WAYMARK_GRPC_HOST', ['127.0.0.1'])).toThrow('WAYMARK_GRPC_INSECURE');
  });
});

describe('settings of Redis', () => {
  it('take a CA, and a certificate when Redis asks for one', () => {
    expect(redisTlsPaths(none)).toBeUndefined();
    expect(redisTlsPaths(redis)).toBeUndefined();
    expect(redisTlsPaths({ ...redis, REDIS_CA_FILE: 'ca' })).toEqual({ ca: 'ca', pair: null });
    expect(redisTlsPaths({ ...redis, REDIS_CA_FILE: 'ca', REDIS_CERT_FILE: 'c', REDIS_KEY_FILE: 'k' })).toEqual({
      ca: 'ca',
      pair: { cert: 'c', key: 'k' },
    });
  });

  it.each([
    ['a CA for a connection in the clear', { REDIS_URL: 'redis://redis', REDIS_CA_FILE: 'ca' }, 'rediss://'],
    ['a certificate without CA', { REDIS_CERT_FILE: 'c', REDIS_KEY_FILE: 'k' }, 'REDIS_CA_FILE'],
    ['a certificate without key', { REDIS_CA_FILE: 'ca', REDIS_CERT_FILE: 'c' }, 'together'],
    ['a key without certificate', { REDIS_CA_FILE: 'ca', REDIS_KEY_FILE: 'k' }, 'together'],
  ])('refuse %s', (_, settings, message) => {
    expect(() => redisTlsPaths({ ...redis, ...settings })).toThrow(message);
  });
});
