import type { Report } from '../report.js';
import type { Ledger } from '../workload/ledger.js';
import type { Observer } from './observer.js';

export const AUDITED = 'the audit and the change log have each accepted change, and nothing of a refused one';

/** Requests are found in the audit by the id that their answer carried. */
export async function checkAudit(report: Report, observer: Observer, ledger: Ledger): Promise<void> {
  const rows = await observer.ask<{ request_id: string; revision: number }>(
    'select request_id, revision from audit where request_id is not null',
  );
  const logged = new Set(
    (await observer.ask<{ revision: number }>('select revision from revision')).map(({ revision }) => revision),
  );
  const audited = new Map(rows.map(({ request_id, revision }) => [request_id, revision]));
  const details: string[] = [];
  for (const { requestId, what } of ledger.accepted) {
    const revision = audited.get(requestId);
    if (revision === undefined) details.push(`${what} was accepted (request ${requestId}) and is not in the audit`);
    else if (!logged.has(revision)) details.push(`revision ${revision} of ${what} is not in the change log`);
  }
  for (const { requestId, what } of ledger.refused) {
    if (audited.has(requestId)) details.push(`${what} was refused (request ${requestId}) and is in the audit`);
  }
  for (const revision of ledger.revisions) {
    if (!logged.has(revision)) details.push(`revision ${revision} was answered and is not in the change log`);
  }
  report.check(AUDITED, ledger.accepted.length + ledger.refused.length + ledger.revisions.size, details);
}
