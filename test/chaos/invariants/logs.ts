import { isOutage, OutcomeUnknown } from '../../../apps/controller/src/model/outage.js';

/** pino: error and fatal. */
const ERROR = 50;
const FATAL = 60;

/** What a controller prints besides its log. */
const PRINTED = /^(API|Swagger UI): http/;

/** Node's, about certificates for IP addresses; with it comes a line that explains how to find out more. */
const KNOWN_WARNING = /\[DEP0123\]|--trace-deprecation/;

/** A controller that is started while its database is away, or is a newer one's, says so and ends, to be started again. */
const NO_DATABASE = /^the database of DATABASE_URL (does not answer|was migrated by a newer version)/;

/** One that does not stop in time says so, and ends with a status that is looked at. */
const STOPPED_LATE = /^killed by timeout/;

interface LogLine {
  readonly level?: number;
  readonly msg?: string;
  readonly err?: { readonly type?: string; readonly message?: string; readonly code?: string };
}

/**
 * Lines that nobody expects: an error that nothing has dealt with, or what Node itself prints when something is wrong. That
 * the database is away is an error for who reads the log, and no news here.
 */
export function unhandledLines(output: string): readonly string[] {
  // The last line of a process that was killed may be half a line.
  const lines = output.split('\n').slice(0, -1);
  return lines.filter((line) => line !== '' && !PRINTED.test(line) && !KNOWN_WARNING.test(line) && isUnhandled(line));
}

function isUnhandled(line: string): boolean {
  try {
    const { level, msg, err } = JSON.parse(line) as LogLine;
    if (level === undefined) return true;
    if (level >= FATAL) return msg === undefined || !NO_DATABASE.test(msg);
    if (level < ERROR || (msg !== undefined && STOPPED_LATE.test(msg))) return false;
    if (err?.type === OutcomeUnknown.name) return false;
    return !isOutage(Object.assign(new Error(err?.message), { ...(err?.code !== undefined && { code: err.code }) }));
  } catch {
    return true;
  }
}
