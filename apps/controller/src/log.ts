import { pino, type DestinationStream, type Logger } from 'pino';

const secretNames = ['authorization', 'cookie', 'password', 'secret', 'token'];

/** So deep an error that is logged may carry the request that it was about. */
const depths = ['', '*.', '*.*.', '*.*.*.', '*.*.*.*.'];
const secrets = secretNames.flatMap((name) => depths.map((depth) => depth + name));

/** The log of the controller: whatever is logged, credentials are not. */
export function createLog(level: string, destination?: DestinationStream): Logger {
  const options = { level, redact: { paths: secrets, censor: '[secret]' } };
  return destination === undefined ? pino(options) : pino(options, destination);
}
