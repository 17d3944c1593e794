import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { ApiError } from '../model/api-error.js';
import type { Fault } from './faults.js';

/** Lets a fault befall a request before it is executed. @returns whether it still is to be executed @throws ApiError a refusal */
export async function befall(fault: Fault | undefined, response: ServerResponse): Promise<boolean> {
  if (fault?.kind === 'status') throw faultStatus(fault.code, fault.retryAfterSeconds);
  if (fault?.kind === 'delay') await sleep(fault.ms, undefined, { ref: false });
  else if (fault?.kind === 'hang') return false;
  else if (fault?.kind === 'reset') {
    response.destroy();
    return false;
  } else if (fault?.kind === 'nonsense') {
    response.writeHead(200, { 'content-type': 'application/json' }).end(fault.body);
    return false;
  }
  return true;
}

function faultStatus(code: number, retryAfterSeconds: number | undefined): ApiError {
  const reason =
    { 401: 'Unauthorized', 403: 'Forbidden', 404: 'NotFound', 409: 'Conflict', 410: 'Expired', 429: 'TooManyRequests' }[
      code
    ] ?? (code === 503 ? 'ServiceUnavailable' : code === 504 ? 'Timeout' : 'InternalError');
  const details = retryAfterSeconds === undefined ? {} : { retryAfterSeconds };
  return new ApiError(code, reason, `fault injected by the test: ${code}`, details);
}
