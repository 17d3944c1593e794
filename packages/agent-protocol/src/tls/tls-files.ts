import { createHash, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';

/** How often the files are looked at: a kubelet takes a minute to show a changed Secret, a certificate is renewed days before. */
const POLL_MS = 10_000;

const PEM_CERTIFICATE = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g;

/** Where PEM files lie. `cert` begins with the own certificate, followed by intermediate ones; `ca` holds who is trusted. */
export interface TlsPaths {
  /** null: this side asks nobody who he is. */
  readonly ca: string | null;
  /** null: this side shows no certificate. */
  readonly pair: { readonly cert: string; readonly key: string } | null;
}

/** What the files say, checked: the key belongs to the certificate, and where CAs are given there is somebody to trust. */
export interface TlsMaterial {
  readonly ca: Buffer | undefined;
  readonly cert: Buffer | undefined;
  readonly key: Buffer | undefined;
}

/** Files that cannot be used; the message names the file and says what is wrong with it. */
export class TlsFileError extends Error {
  override readonly name = 'TlsFileError';
}

export interface TlsFilesListener {
  /** New contents are used from now on. `distrusted`: somebody who was trusted before no longer is. */
  readonly onChange?: (material: TlsMaterial, distrusted: boolean) => void;
  /** What the files hold now cannot be used, so what they held before is still in use. Told once for each content. */
  readonly onTrouble?: (error: TlsFileError) => void;
}

/**
 * The certificates and the key of one side. Files that change (a certificate was renewed) are taken over while everything
 * goes on; what cannot be used, such as a certificate whose key has yet to be written, leaves what was there before.
 */
export class TlsFiles {
  readonly #paths: TlsPaths;
  readonly #listeners = new Set<TlsFilesListener>();
  #material: TlsMaterial;
  #trusted: ReadonlySet<string>;
  #seen: string;
  #timer: NodeJS.Timeout | undefined;

  /** Throws TlsFileError when the files cannot be used. */
  constructor(paths: TlsPaths) {
    this.#paths = paths;
    const read = (path: string): Buffer => {
      try {
        return readFileSync(path);
      } catch (error) {
        throw unreadable(path, error);
      }
    };
    const material = {
      ca: paths.ca === null ? undefined : read(paths.ca),
      cert: paths.pair === null ? undefined : read(paths.pair.cert),
      key: paths.pair === null ? undefined : read(paths.pair.key),
    };
    this.#trusted = checked(paths, material);
    this.#material = material;
    this.#seen = digestOf(material);
  }

  get material(): TlsMaterial {
    return this.#material;
  }

  /** When the own certificate ends; undefined when there is none. */
  get expires(): Date | undefined {
    const { cert } = this.#material;
    return cert === undefined ? undefined : new Date(new X509Certificate(cert).validTo);
  }

  /** Looks at the files from time to time until `close`. Returns the function that ends the notification. */
  listen(listener: TlsFilesListener): () => void {
    this.#listeners.add(listener);
    this.#timer ??= setInterval(() => void this.reread(), POLL_MS).unref();
    return () => this.#listeners.delete(listener);
  }

  /** Takes over what the files hold now. Never rejects. */
  async reread(): Promise<void> {
    try {
      const { ca, pair } = this.#paths;
      const [caBytes, certBytes, keyBytes] = await Promise.all([
        read(ca ?? undefined),
        read(pair?.cert),
        read(pair?.key),
      ]);
      this.#take({ ca: caBytes, cert: certBytes, key: keyBytes });
    } catch (error) {
      if (!(error instanceof TlsFileError)) throw error;
      this.#refuse(error, error.message);
    }
  }

  close(): void {
    clearInterval(this.#timer);
    this.#listeners.clear();
  }

  #take(material: TlsMaterial): void {
    const digest = digestOf(material);
    if (digest === this.#seen) return;
    let trusted: ReadonlySet<string>;
    try {
      trusted = checked(this.#paths, material);
    } catch (error) {
      if (!(error instanceof TlsFileError)) throw error;
      this.#refuse(error, digest);
      return;
    }
    const distrusted = [...this.#trusted].some((fingerprint) => !trusted.has(fingerprint));
    const changed = digest !== digestOf(this.#material);
    this.#seen = digest;
    this.#material = material;
    this.#trusted = trusted;
    if (changed) for (const { onChange } of this.#listeners) onChange?.(material, distrusted);
  }

  #refuse(error: TlsFileError, what: string): void {
    if (what === this.#seen) return;
    this.#seen = what;
    for (const { onTrouble } of this.#listeners) onTrouble?.(error);
  }
}

async function read(path: string | undefined): Promise<Buffer | undefined> {
  if (path === undefined) return undefined;
  try {
    return await readFile(path);
  } catch (error) {
    throw unreadable(path, error);
  }
}

function unreadable(path: string, error: unknown): TlsFileError {
  return new TlsFileError(`${path} cannot be read: ${messageOf(error)}`, { cause: error });
}

/** The fingerprints of those who are trusted. Throws TlsFileError. */
function checked({ ca, pair }: TlsPaths, material: TlsMaterial): ReadonlySet<string> {
  const trusted = ca === null ? [] : certificatesIn(ca, material.ca);
  if (pair !== null) {
    certificatesIn(pair.cert, material.cert);
    try {
      createSecureContext({ cert: material.cert, key: material.key });
    } catch (error) {
      throw new TlsFileError(`${pair.key} is not the key of the certificate in ${pair.cert}: ${messageOf(error)}`, {
        cause: error,
      });
    }
  }
  return new Set(trusted.map(({ fingerprint256 }) => fingerprint256));
}

/** All certificates of a PEM file, one at least. */
function certificatesIn(path: string, bytes: Buffer | undefined): X509Certificate[] {
  const blocks = bytes?.toString('latin1').match(PEM_CERTIFICATE) ?? [];
  if (blocks.length === 0) throw new TlsFileError(`${path} holds no certificate in PEM form`);
  try {
    return blocks.map((block) => new X509Certificate(block));
  } catch (error) {
    throw new TlsFileError(`${path} holds a certificate that cannot be read: ${messageOf(error)}`, { cause: error });
  }
}

function digestOf({ ca, cert, key }: TlsMaterial): string {
  const hash = createHash('sha256');
  for (const bytes of [ca, cert, key])
    hash.update(
      createHash('sha256')
        .update(bytes ?? '')
        .digest(),
    );
  return hash.digest('hex');
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
