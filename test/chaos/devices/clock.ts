import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const LIBRARIES = '/usr/lib';

/** Where Debian's package libfaketime (of `faketime`) has put it, whatever the machine's architecture. */
function library(): string | undefined {
  return readdirSync(LIBRARIES)
    .map((folder) => join(LIBRARIES, folder, 'faketime/libfaketimeMT.so.1'))
    .find((path) => existsSync(path));
}

/**
 * The wall clock of the processes that are started with its environment: it goes on from where it is set to. Their
 * monotonic clock, timers and the times of files stay what they are, as when an administrator or NTP sets the clock.
 */
export class Clock {
  readonly environment: NodeJS.ProcessEnv;
  readonly #file: string;

  /** `file` is written to; it must live as long as the processes. Needs the program `faketime` on the machine. */
  constructor(file: string) {
    const preloaded = library();
    if (preloaded === undefined) throw new Error(`there is no libfaketime below ${LIBRARIES}; install faketime`);
    this.#file = file;
    this.environment = {
      LD_PRELOAD: preloaded,
      FAKETIME_TIMESTAMP_FILE: file,
      FAKETIME_NO_CACHE: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
      NO_FAKE_STAT: '1',
    };
    this.set(0);
  }

  /** How far ahead of the machine's clock it is from now on, in seconds; negative: behind. */
  set(aheadSeconds: number): void {
    // Shorter than a page and written at once: a reader sees the old or the new one.
    writeFileSync(this.#file, `${aheadSeconds < 0 ? '-' : '+'}${Math.abs(aheadSeconds)}`);
  }
}
