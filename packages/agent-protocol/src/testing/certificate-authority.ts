import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TlsPaths } from '../tls/tls-files.js';

/** What a certificate says, and from when to when it holds. */
export interface CertificateRequest {
  /** `URI:…`, `DNS:…` or `IP:…`, as OpenSSL writes them. */
  readonly names: readonly string[];
  readonly usage?: 'serverAuth' | 'clientAuth' | 'serverAuth,clientAuth';
  readonly from?: Date;
  readonly until?: Date;
}

/** Certificate and key, PEM. */
export interface IssuedCertificate {
  readonly cert: string;
  readonly key: string;
}

const HOUR_MS = 3_600_000;
const CONFIGURATION = `
[ca]
default_ca = default
[default]
database = index
new_certs_dir = .
rand_serial = yes
unique_subject = no
default_md = sha256
policy = policy
[policy]
commonName = supplied
[req]
distinguished_name = name
prompt = no
x509_extensions = root
[name]
CN = Waymark tests
[root]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign
subjectKeyIdentifier = hash
`;

/** A CA of a test's own. Needs the program `openssl`. */
export class CertificateAuthority {
  readonly cert: string;
  readonly #folder = mkdtempSync(join(tmpdir(), 'waymark-ca-'));
  #number = 0;

  constructor() {
    writeFileSync(join(this.#folder, 'index'), '');
    writeFileSync(join(this.#folder, 'openssl.cnf'), CONFIGURATION);
    this.#openssl('req', '-x509', ...NEW_KEY, 'ca.key', '-out', 'ca.pem', '-days', '2', '-config', 'openssl.cnf');
    this.cert = readFileSync(join(this.#folder, 'ca.pem'), 'utf8');
  }

  issue({ names, usage = 'serverAuth,clientAuth', from, until }: CertificateRequest): IssuedCertificate {
    const [request, key, cert, extensions] = ['csr', 'key', 'crt', 'ext'].map((end) => `${this.#number}.${end}`) as [
      string,
      string,
      string,
      string,
    ];
    this.#number++;
    const alternatives = names.length === 0 ? '' : `subjectAltName = ${names.join(',')}\n`;
    writeFileSync(join(this.#folder, extensions), `extendedKeyUsage = ${usage}\n${alternatives}`);
    this.#openssl('req', '-new', ...NEW_KEY, key, '-out', request, '-config', 'openssl.cnf');
    const dates = ['-startdate', asn1(from ?? hours(-1)), '-enddate', asn1(until ?? hours(1))];
    const by = ['-config', 'openssl.cnf', '-cert', 'ca.pem', '-keyfile', 'ca.key', '-extfile', extensions];
    this.#openssl('ca', '-batch', '-notext', ...by, ...dates, '-in', request, '-out', cert);
    const read = (file: string) => readFileSync(join(this.#folder, file), 'utf8');
    return { cert: read(cert), key: read(key) };
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #openssl(...args: readonly string[]): void {
    const { status, stderr } = spawnSync('openssl', args, { cwd: this.#folder, encoding: 'utf8' });
    if (status !== 0) throw new Error(`openssl ${args.join(' ')}: ${stderr}`);
  }
}

export interface WrittenTls extends TlsPaths {
  readonly ca: string;
  readonly pair: NonNullable<TlsPaths['pair']>;
}

/** Writes (again) what one side has into a folder, and says where. */
export function writeTls(folder: string, ca: readonly string[], issued: IssuedCertificate): WrittenTls {
  mkdirSync(folder, { recursive: true });
  const path = (name: string, content: string): string => {
    writeFileSync(join(folder, name), content);
    return join(folder, name);
  };
  return {
    ca: path('ca.crt', ca.join('')),
    pair: { cert: path('tls.crt', issued.cert), key: path('tls.key', issued.key) },
  };
}

/** The name of the agent of a node. */
export function uriOf(node: string): string {
  return `URI:spiffe://example.org/waymark/node/${node}`;
}

const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout'];

function hours(number: number): Date {
  return new Date(Date.now() + number * HOUR_MS);
}

function asn1(date: Date): string {
  return `${date.toISOString().replace(/[-:T]/g, '').slice(0, 14)}Z`;
}
