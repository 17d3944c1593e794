import { logTlsFiles, TlsFileError, TlsFiles, type TlsPaths } from '@waymark/agent-protocol';
import type { Logger } from 'pino';
import { RevokedCertificates, RevokedFileError } from './distribution/revoked-certificates.js';
import { StartFault } from './model/start-fault.js';

/**
 * The files that the settings `<prefix>_CA_FILE` (if there is one), `<prefix>_CERT_FILE` and `<prefix>_KEY_FILE` name, followed until what
 * runs is stopped. Throws StartFault.
 */
export function openTlsFiles(
  prefix: string,
  paths: TlsPaths,
  log: Logger,
  running: (() => Promise<unknown>)[],
): TlsFiles {
  let files: TlsFiles;
  try {
    files = new TlsFiles(paths);
  } catch (error) {
    if (!(error instanceof TlsFileError)) throw error;
    const ca = paths.ca === null ? '' : `${prefix}_CA_FILE, `;
    throw new StartFault(`${error.message}; see ${ca}${prefix}_CERT_FILE and ${prefix}_KEY_FILE`, { cause: error });
  }
  running.push(() => {
    files.close();
    return Promise.resolve();
  });
  logTlsFiles(files, prefix, log);
  return files;
}

/** The list of WAYMARK_GRPC_REVOKED_FILE, followed until what runs is stopped. Throws StartFault. */
export function openRevokedCertificates(
  path: string,
  log: Logger,
  running: (() => Promise<unknown>)[],
): RevokedCertificates {
  let revoked: RevokedCertificates;
  try {
    revoked = new RevokedCertificates(path);
  } catch (error) {
    if (!(error instanceof RevokedFileError)) throw error;
    throw new StartFault(`${error.message}; see WAYMARK_GRPC_REVOKED_FILE`, { cause: error });
  }
  running.push(() => {
    revoked.close();
    return Promise.resolve();
  });
  log.info({ entries: revoked.size }, 'certificates that were revoked are read');
  revoked.follow({
    onChange: (entries) => log.info({ entries }, 'other certificates are revoked from now on'),
    onTrouble: (error) => log.warn({ why: error.message }, 'the new list of revoked certificates cannot be used'),
  });
  return revoked;
}
