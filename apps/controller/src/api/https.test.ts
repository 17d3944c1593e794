import { mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:https';
import { connect, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TLSSocket } from 'node:tls';
import { TlsFiles } from '@waymark/agent-protocol';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  CertificateAuthority,
  writeTls,
} from '../../../../packages/agent-protocol/src/testing/certificate-authority.js';
import { missingNeeds } from '../../../../test/require-program.js';
import { fixedServices } from '../testing/fixed-services.js';
import { buildApp } from './app.js';
import type { ApiApp } from './type-provider.js';

const skip = missingNeeds({ programs: ['openssl'] });

describe.skipIf(skip !== undefined)(`REST with TLS${skip ? ` (${skip})` : ''}`, () => {
  let folder: string;
  let ca: CertificateAuthority;
  let files: TlsFiles;
  let app: ApiApp;
  let port: number;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'waymark-https-'));
    ca = new CertificateAuthority();
    certify(['DNS:localhost']);
    files = new TlsFiles({ ca: null, pair: { cert: join(folder, 'tls.crt'), key: join(folder, 'tls.key') } });
    app = await buildApp(fixedServices(), { version: '0', logger: pino({ level: 'silent' }), tls: files });
    const address = await app.listen({ port: 0, host: '127.0.0.1' });
    expect(address).toMatch(/^https:/);
    ({ port } = app.server.address() as AddressInfo);
  });

  afterEach(async () => {
    await app.close();
    files.close();
    ca.remove();
    rmSync(folder, { recursive: true });
  });

  function certify(names: readonly string[]): void {
    writeTls(folder, [], ca.issue({ names, usage: 'serverAuth' }));
  }

  interface Answer {
    readonly status: number;
    readonly headers: Readonly<Record<string, unknown>>;
    readonly name: string;
    readonly protocol: string | null;
  }

  function get(options: {
    readonly path?: string;
    readonly headers?: Record<string, string>;
    readonly maxVersion?: 'TLSv1.1';
  }) {
    return new Promise<Answer>((resolve, reject) => {
      const sent = request(
        { host: '127.0.0.1', port, servername: 'localhost', ca: ca.cert, path: '/healthz', agent: false, ...options },
        (response) => {
          const { socket } = response;
          if (!(socket instanceof TLSSocket)) throw new TypeError('it came in the clear');
          const { subjectaltname = '' } = socket.getPeerCertificate();
          const protocol = socket.getProtocol();
          response.resume();
          response.on('end', () =>
            resolve({ status: response.statusCode ?? 0, headers: response.headers, name: subjectaltname, protocol }),
          );
        },
      );
      sent.on('error', reject);
      sent.end();
    });
  }

  it('answers with the certificate, and tells browsers to come encrypted only', async () => {
    expect(await get({})).toMatchObject({
      status: 200,
      name: 'DNS:localhost',
      protocol: 'TLSv1.3',
      headers: { 'strict-transport-security': 'max-age=31536000', 'x-content-type-options': 'nosniff' },
    });
    const inTheClear = await app.inject('/healthz');
    expect(inTheClear.headers).not.toHaveProperty('strict-transport-security');
  });

  it('uses a renewed certificate for the next connection', async () => {
    certify(['DNS:localhost', 'DNS:renewed']);
    await files.reread();
    expect((await get({})).name).toBe('DNS:localhost, DNS:renewed');
  });

  it('says nothing to those who come in the clear or with TLS of the past, and goes on', async () => {
    const said = await new Promise<string>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => socket.write('GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n'));
      let text = '';
      socket.on('data', (bytes) => (text += bytes.toString('latin1')));
      socket.on('error', () => undefined);
      socket.on('close', () => resolve(text));
    });
    expect(said).not.toContain('HTTP/1.1 200');
    await expect(get({ maxVersion: 'TLSv1.1' })).rejects.toThrow();
    expect((await get({})).status).toBe(200);
  });
});
