import { pino, type DestinationStream, type Logger } from 'pino';

const secretNames = ['authorization', 'cookie', 'password', 'secret', 'token'];

/** What an error or a request that is logged may carry, at most so deep. */
const secrets = secretNames.flatMap((name) => [name, `*.${name}`, `*.*.${name}`, `*.*.*.${name}`]);

/** The log of the controller: whatever is logged, credentials are not. */
export function createLog(level: string, destination?: DestinationStream): Logger {
  const options = { level, redact: { paths: secrets, censor: '[secret]' } };
  return destination === undefined ? pino(options) : pino(options, destination);
}
