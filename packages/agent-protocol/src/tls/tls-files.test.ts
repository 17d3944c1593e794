import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { missingNeeds } from '../../../../test/require-program.js';
import { CertificateAuthority, uriOf, writeTls, type IssuedCertificate } from '../testing/certificate-authority.js';
import { logTlsFiles } from './log-tls-files.js';
import { TlsFiles, type TlsPaths } from './tls-files.js';

const missing = missingNeeds({ programs: ['openssl'] });

describe.skipIf(missing !== undefined)(`TLS files${missing === undefined ? '' : ` (skipped: ${missing})`}`, () => {
  let ca: CertificateAuthority;
  let other: CertificateAuthority;
  let first: IssuedCertificate;
  let second: IssuedCertificate;
  let folder: string;
  let paths: TlsPaths;
  let files: TlsFiles | undefined;

  beforeAll(() => {
    ca = new CertificateAuthority();
    other = new CertificateAuthority();
    first = ca.issue({ names: [uriOf('h1')] });
    second = ca.issue({ names: [uriOf('h1')] });
  });
  afterAll(() => {
    for (const each of [ca, other]) each.remove();
  });
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'waymark-tls-'));
    paths = writeTls(folder, [ca.cert], first);
  });
  afterEach(() => {
    files?.close();
    files = undefined;
    vi.useRealTimers();
    rmSync(folder, { recursive: true, force: true });
  });

  function opened() {
    files = new TlsFiles(paths);
    const told: string[] = [];
    files.listen({
      onChange: (material, distrusted) =>
        told.push(
          `${material.cert?.toString() === second.cert ? 'second' : 'first'}${distrusted ? ', distrusted' : ''}`,
        ),
      onTrouble: (error) => told.push(error.message.replaceAll(`${folder}/`, '')),
    });
    return { files, told };
  }

  const write = (name: string, content: string): void => writeFileSync(join(folder, name), content);

  it.each([
    ['a file that is not there', () => rmSync(join(folder, 'ca.crt')), 'ca.crt cannot be read: ENOENT'],
    ['a CA file without certificates', () => write('ca.crt', 'nobody'), 'ca.crt holds no certificate'],
    ['the key of another', () => write('tls.key', second.key), 'tls.key is not the key of the certificate in'],
    [
      'a garbled certificate',
      () => write('tls.crt', first.cert.replace(/\n.{20}/, '\nAAAA')),
      'tls.crt holds a certificate',
    ],
  ])('refuses %s and says which', (_, spoil, message) => {
    spoil();
    expect(() => new TlsFiles(paths)).toThrow(message);
  });

  it('takes a new pair over, and tells nobody of what is as before', async () => {
    const { told } = opened();
    await files?.reread();
    writeTls(folder, [ca.cert], second);
    await files?.reread();
    await files?.reread();
    expect(told).toEqual(['second']);
    expect(files?.material.cert?.toString()).toBe(second.cert);
  });

  it('keeps what it had until certificate and key fit again', async () => {
    const { told } = opened();
    write('tls.crt', second.cert);
    await files?.reread();
    await files?.reread();
    expect(files?.material.cert?.toString()).toBe(first.cert);
    write('tls.key', second.key);
    await files?.reread();
    expect(told).toEqual([expect.stringContaining('tls.key is not the key'), 'second']);
  });

  it('keeps what it had while a file is away', async () => {
    const { told } = opened();
    rmSync(join(folder, 'tls.key'));
    await files?.reread();
    write('tls.key', first.key);
    await files?.reread();
    expect(told).toEqual([expect.stringContaining('tls.key cannot be read')]);
  });

  it('says when somebody is trusted no longer, and not when somebody is trusted besides', async () => {
    const { told } = opened();
    write('ca.crt', ca.cert + other.cert);
    await files?.reread();
    write('ca.crt', other.cert);
    await files?.reread();
    expect(told).toEqual(['first', 'first, distrusted']);
  });

  it('looks at the files from time to time by itself', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    const { told } = opened();
    writeTls(folder, [ca.cert], second);
    vi.advanceTimersByTime(10_000);
    await vi.waitFor(() => expect(told).toEqual(['second']), { timeout: 20_000 });
  });

  it('are told of in the log, with the end of the certificate', async () => {
    paths = writeTls(folder, [ca.cert], ca.issue({ names: [], until: new Date(Date.now() - 60_000) }));
    files = new TlsFiles(paths);
    const log = { info: vi.fn(), warn: vi.fn() };
    logTlsFiles(files, 'WAYMARK_GRPC', log);
    expect(log.warn).toHaveBeenCalledWith(expect.anything(), expect.stringContaining('has ended'));
    writeTls(folder, [ca.cert], second);
    await files.reread();
    expect(log.info).toHaveBeenCalledWith(
      { settings: 'WAYMARK_GRPC', expires: files.expires },
      'new certificates are used from now on',
    );
  });
});
