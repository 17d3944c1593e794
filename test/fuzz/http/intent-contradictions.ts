import type { OpenApiDocument } from '../../contract/openapi-document.js';
import type { Random } from '../random.js';
import { constraintContradictions } from './constraint-contradictions.js';
import { eventContradictions } from './event-contradictions.js';
import { httpCase, type HttpCase } from './http-case.js';
import type { Plant } from './planted.js';
import { policyContradictions } from './policy-contradictions.js';
import { requestContradictions } from './request-contradictions.js';
import { operationNamed } from './requests.js';

/*
 * Requests that fit their schema and contradict themselves, or name what is not there. The answer has to name the member
 * that was planted, by its pointer.
 */

const plants: Readonly<Record<string, Plant>> = {
  ...constraintContradictions,
  ...policyContradictions,
  ...requestContradictions,
  ...eventContradictions,
};

export const intentContradictions: readonly string[] = Object.keys(plants);

export function contradictoryIntent(document: OpenApiDocument, random: Random): HttpCase {
  const planted = random.pick(intentContradictions);
  const { operationId, url, body, names } = (plants[planted] as Plant)(random);
  const operation = operationNamed(document, operationId);
  const conditional = operationId === 'putPolicy' ? { 'if-none-match': '*' } : {};
  return httpCase({
    ...{ kind: `intent: ${planted}`, operation, method: operation.method, url: url ?? operation.path },
    ...{
      headers: { 'content-type': 'application/json', ...conditional },
      body: Buffer.from(JSON.stringify(body)),
      names,
    },
  });
}
