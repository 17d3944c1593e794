import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { PeerCertificate } from 'node:tls';

/** How often the file is looked at, as those of the certificates are. */
const POLL_MS = 10_000;

/** What tells a certificate from others, as Node has it. */
export type CertificateMarks = Pick<PeerCertificate, 'fingerprint256' | 'serialNumber'>;

/** The file cannot be used; the message names it and its line, and says what is wrong. */
export class RevokedFileError extends Error {
  override readonly name = 'RevokedFileError';
}

interface Listener {
  readonly onChange: (entries: number) => void;
  /** What the file holds now cannot be used, so what it held before still counts. Told once for each content. */
  readonly onTrouble: (error: RevokedFileError) => void;
}

/**
 * The certificates in WAYMARK_GRPC_REVOKED_FILE, which are accepted no longer though their CA is: one a line, as `openssl x509
 * -noout -fingerprint -sha256` or `-serial` prints it. A file that breaks later leaves what it said before, because the
 * other ways out are to let in who was thrown out, and to throw out everybody.
 */
export class RevokedCertificates {
  readonly #path: string;
  #seen: string;
  #entries: ReadonlySet<string>;
  #timer: NodeJS.Timeout | undefined;
  #listener: Listener | undefined;

  /** Throws RevokedFileError. */
  constructor(path: string) {
    this.#path = path;
    try {
      this.#seen = readFileSync(path, 'utf8');
    } catch (error) {
      throw unreadable(path, error);
    }
    this.#entries = entriesOf(path, this.#seen);
  }

  get size(): number {
    return this.#entries.size;
  }

  has({ fingerprint256, serialNumber }: CertificateMarks): boolean {
    return this.#entries.has(fingerprintOf(fingerprint256)) || this.#entries.has(serialOf(serialNumber));
  }

  /** Looks at the file from time to time until `close`. */
  follow(listener: Listener): void {
    this.#listener = listener;
    this.#timer ??= setInterval(() => void this.reread(), POLL_MS).unref();
  }

  /** Takes over what the file holds now. Never rejects. */
  async reread(): Promise<void> {
    let text: string;
    try {
      text = await readFile(this.#path, 'utf8');
    } catch (error) {
      const trouble = unreadable(this.#path, error);
      this.#tell(trouble.message, () => this.#listener?.onTrouble(trouble));
      return;
    }
    this.#tell(text, () => {
      try {
        this.#entries = entriesOf(this.#path, text);
      } catch (error) {
        if (!(error instanceof RevokedFileError)) throw error;
        this.#listener?.onTrouble(error);
        return;
      }
      this.#listener?.onChange(this.#entries.size);
    });
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #tell(what: string, changed: () => void): void {
    if (what === this.#seen) return;
    this.#seen = what;
    changed();
  }
}

function entriesOf(path: string, text: string): ReadonlySet<string> {
  const lines = text.split('\n').map((line) => line.replace(/#.*/s, '').trim());
  return new Set(lines.flatMap((line, index) => (line === '' ? [] : [entryOf(line, `${path}, line ${index + 1}`)])));
}

function entryOf(line: string, where: string): string {
  const fingerprint = /^(?:sha256 fingerprint=)?((?:[0-9a-f]{2}:){31}[0-9a-f]{2}|[0-9a-f]{64})$/i.exec(line)?.[1];
  if (fingerprint !== undefined) return fingerprintOf(fingerprint);
  const serial = /^serial=([0-9a-f]{1,40})$/i.exec(line)?.[1];
  if (serial !== undefined) return serialOf(serial);
  throw new RevokedFileError(
    `${where} is neither a SHA-256 fingerprint nor serial= and a serial number, as \`openssl x509 -noout -fingerprint ` +
      '-sha256 -serial -in tls.crt` prints them',
  );
}

function fingerprintOf(hex: string): string {
  return hex.replaceAll(':', '').toUpperCase();
}

function serialOf(hex: string): string {
  return `serial ${hex.replace(/^0+(?=.)/, '').toUpperCase()}`;
}

function unreadable(path: string, error: unknown): RevokedFileError {
  return new RevokedFileError(`${path} cannot be read: ${(error as Error).message}`, { cause: error });
}
