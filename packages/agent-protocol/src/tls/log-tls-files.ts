import type { TlsFiles } from './tls-files.js';

/** As much of a logger as is needed here. */
interface Log {
  readonly info: (details: object, message: string) => void;
  readonly warn: (details: object, message: string) => void;
}

/** Tells operators what becomes of the files; `settings` begins the names of the variables that name them. */
export function logTlsFiles(files: TlsFiles, settings: string, log: Log): void {
  const tellEnd = (message: string): void => {
    const { expires } = files;
    if (expires !== undefined && expires.getTime() <= Date.now()) {
      log.warn({ settings, expires }, 'the certificate of this side has ended, and others will refuse it: renew it');
    } else {
      log.info({ settings, expires }, message);
    }
  };
  tellEnd('certificates are read');
  files.listen({
    onChange: () => tellEnd('new certificates are used from now on'),
    onTrouble: (error) => log.warn({ settings, why: error.message }, 'the new certificates cannot be used'),
  });
}
