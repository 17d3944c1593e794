import { logTlsFiles, TlsFileError, TlsFiles, type TlsPaths } from '@waymark/agent-protocol';
import type { Logger } from 'pino';
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
