/** Codes with which Node and Postgres say that the server is gone, not that the query is wrong. */
const outageCodes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  // connection exceptions, too many connections, and the states of a server that starts or stops
  // (PostgreSQL documentation, appendix A)
  '08000',
  '08001',
  '08003',
  '08004',
  '08006',
  '53300',
  '57P01',
  '57P02',
  '57P03',
]);

/** True for errors of a database that cannot be reached at the moment. */
export function isOutage(error: unknown): boolean {
  if (error instanceof AggregateError) return error.errors.some((one) => isOutage(one));
  if (!(error instanceof Error)) return false;
  if ('code' in error && typeof error.code === 'string') return outageCodes.has(error.code);
  // pg gives these no code
  return (
    error.message.startsWith('Connection terminated') ||
    error.message.startsWith('timeout exceeded when trying to connect') ||
    error.message === 'timeout expired'
  );
}
