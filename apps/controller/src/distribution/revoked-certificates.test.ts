import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RevokedCertificates } from './revoked-certificates.js';

const bytes = Array.from({ length: 32 }, (_, i) => (i + 0xa0).toString(16).toUpperCase());
const certificate = { fingerprint256: bytes.join(':'), serialNumber: '0A1B2C' };
const other = { fingerprint256: bytes.toReversed().join(':'), serialNumber: 'FF' };

describe('the list of revoked certificates', () => {
  let folder: string;
  let file: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'waymark-revoked-'));
    file = join(folder, 'revoked');
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const of = (text: string) => {
    writeFileSync(file, text);
    return new RevokedCertificates(file);
  };

  it.each([
    ['a fingerprint as OpenSSL 3 prints it', `sha256 Fingerprint=${bytes.join(':')}`],
    ['one as OpenSSL 1.1 does', `SHA256 Fingerprint=${bytes.join(':')}`],
    ['bare hexadecimal digits', bytes.join('').toLowerCase()],
    ['a serial number as OpenSSL prints it', 'serial=0A1B2C'],
    ['one without the zeros in front', 'serial=a1b2c'],
  ])('takes %s', (_, line) => {
    const revoked = of(`# stolen on Sunday\r\n\n  ${line} # h1\r\n`);
    expect(revoked.has(certificate)).toBe(true);
    expect(revoked.has(other)).toBe(false);
    expect(revoked.size).toBe(1);
  });

  it.each([
    ['a fingerprint of another kind', 'sha1 Fingerprint=AA:BB'],
    ['a name', 'h1'],
    ['half a fingerprint', bytes.slice(1).join(':')],
    ['a serial number in decimals and words', 'serial=twelve'],
  ])('does not take %s, and says in which line', (_, line) => {
    expect(() => of(`serial=01\n${line}\n`)).toThrow(`${file}, line 2 is neither`);
  });

  it('has to be there at the start', () => {
    expect(() => new RevokedCertificates(file)).toThrow(`${file} cannot be read`);
  });

  it('says what it said before when it breaks or goes later, and tells so once', async () => {
    const revoked = of('serial=0A1B2C\n');
    const troubles: string[] = [];
    const changes: number[] = [];
    revoked.follow({
      onChange: (entries) => changes.push(entries),
      onTrouble: ({ message }) => troubles.push(message),
    });
    writeFileSync(file, 'nonsense\n');
    await revoked.reread();
    await revoked.reread();
    expect(troubles).toHaveLength(1);
    rmSync(file);
    await revoked.reread();
    await revoked.reread();
    expect(troubles).toHaveLength(2);
    expect(revoked.has(certificate)).toBe(true);
    writeFileSync(file, 'serial=FF\n');
    await revoked.reread();
    expect(changes).toEqual([1]);
    expect([revoked.has(certificate), revoked.has(other)]).toEqual([false, true]);
    revoked.close();
  });
});
