import { spawnSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, createServer, type TLSSocket } from 'node:tls';
import { nodeInCertificate, TlsFiles, type TlsPaths } from '@waymark/agent-protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RevokedCertificates } from '../../apps/controller/src/distribution/revoked-certificates.js';
import { missingNeeds } from '../require-program.js';
import { root } from '../started-system.js';

const missing = missingNeeds({ programs: ['openssl', 'sh'] });

describe.skipIf(missing !== undefined)(`scripts/certificates.sh${missing === undefined ? '' : ` (${missing})`}`, () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'waymark-certificates-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  function run(...args: readonly string[]) {
    return spawnSync('sh', [join(root, 'scripts/certificates.sh'), folder, ...args], { encoding: 'utf8' });
  }

  const pathsIn = (below: string): TlsPaths => {
    const file = (name: string): string => join(folder, below, name);
    return { ca: file('ca.crt'), pair: { cert: file('tls.crt'), key: file('tls.key') } };
  };
  const certificateIn = (below: string): X509Certificate => new X509Certificate(readFileSync(join(folder, below)));

  it('makes what controllers and agents take for each other', async () => {
    expect(run('controller', 'controllers.example.net', '127.0.0.1', 'fd00::1').status).toBe(0);
    expect(run('agent', 'h1', 'dc-london.1').status).toBe(0);
    const [controller, agent] = [new TlsFiles(pathsIn('controller')), new TlsFiles(pathsIn('agents/dc-london.1'))];
    const server = createServer({ ...controller.material, requestCert: true }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const accepted = once(server, 'secureConnection') as Promise<[TLSSocket]>;
    const { port } = server.address() as AddressInfo;
    const socket = connect({ port, host: '127.0.0.1', ...agent.material });
    await once(socket, 'secureConnect');
    const [seen] = await accepted;
    expect(nodeInCertificate(seen.getPeerCertificate())).toBe('dc-london.1');
    socket.destroy();
    server.close();
    const { subjectAltName } = certificateIn('controller/tls.crt');
    expect(subjectAltName).toBe('DNS:controllers.example.net, IP Address:127.0.0.1, IP Address:FD00:0:0:0:0:0:0:1');
    expect(certificateIn('controller/tls.crt').keyUsage).toEqual(['1.3.6.1.5.5.7.3.1']);
    expect(certificateIn('agents/h1/tls.crt').keyUsage).toEqual(['1.3.6.1.5.5.7.3.2']);
    for (const file of ['ca.key', 'controller/tls.key', 'agents/h1/tls.key']) {
      expect(statSync(join(folder, file)).mode & 0o77, file).toBe(0);
    }
  });

  it('renews, of the same CA', () => {
    run('agent', 'h1');
    const [ca, before] = [readFileSync(join(folder, 'ca.crt')), certificateIn('agents/h1/tls.crt')];
    expect(run('agent', 'h1').status).toBe(0);
    const after = certificateIn('agents/h1/tls.crt');
    expect(after.serialNumber).not.toBe(before.serialNumber);
    expect(after.verify(new X509Certificate(ca).publicKey)).toBe(true);
    expect(readFileSync(join(folder, 'agents/h1/ca.crt'))).toEqual(ca);
  });

  it('revokes what a node got so far, for controllers to read', () => {
    run('agent', 'h1', 'h2');
    const [stolen, other] = [certificateIn('agents/h1/tls.crt'), certificateIn('agents/h2/tls.crt')];
    run('agent', 'h1');
    const renewed = certificateIn('agents/h1/tls.crt');
    expect(run('revoke', 'h1')).toMatchObject({ status: 0, stderr: '' });
    run('agent', 'h1');
    const replaced = certificateIn('agents/h1/tls.crt');
    expect(run('revoke', 'h3')).toMatchObject({ status: 2 });
    const revoked = new RevokedCertificates(join(folder, 'revoked'));
    const isRevoked = ({ fingerprint256, serialNumber }: X509Certificate) =>
      revoked.has({ fingerprint256, serialNumber });
    expect([stolen, renewed, replaced, other].map(isRevoked)).toEqual([true, true, false, false]);
  });

  it.each([
    ['nobody to make one for', ['agent'], 'certificates.sh FOLDER agent NODE...'],
    ['somebody else', ['operator', 'me'], 'certificates.sh FOLDER controller NAME...'],
    ['what is no node id', ['agent', '../h1'], '../h1 is no node id'],
    ['a node id that would name another', ['agent', 'h1,URI:x'], 'h1,URI:x is no node id'],
  ])('refuses %s', (_, args, said) => {
    const { status, stderr } = run(...args);
    expect(status).toBe(2);
    expect(stderr).toContain(said);
  });
});
