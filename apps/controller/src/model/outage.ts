/** Codes with which Node and Postgres say that the server is gone or has no room, not that the query is wrong. */
const outageCodes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  // connection exceptions, a full disk, too little memory, too many connections, sessions that were silent for too long, the
  // states of a server that starts or stops, and a disk that fails (PostgreSQL documentation, appendix A)
  '08000',
  '08001',
  '08003',
  '08004',
  '08006',
  '25P03',
  '53000',
  '53100',
  '53200',
  '53300',
  '57P01',
  '57P02',
  '57P03',
  '57P05',
  '58030',
]);

/** pg gives these no code. */
const outageMessages = [
  'Connection terminated',
  'timeout exceeded when trying to connect',
  'Client has encountered a connection error',
  'Client was closed',
];

/** True for errors of a database that cannot be reached, or can store nothing, at the moment. */
export function isOutage(error: unknown): boolean {
  if (error instanceof OutcomeUnknown) return true;
  if (error instanceof AggregateError) return error.errors.some((one) => isOutage(one));
  if (!(error instanceof Error)) return false;
  if ('code' in error && typeof error.code === 'string') return outageCodes.has(error.code);
  return outageMessages.some((message) => error.message.startsWith(message));
}

/** The session broke while a transaction was being committed: it was, or it was not. `cause` is what broke. */
export class OutcomeUnknown extends Error {
  override readonly name = 'OutcomeUnknown';

  constructor(cause: unknown) {
    super('the session with the database broke during a commit', { cause });
  }
}
