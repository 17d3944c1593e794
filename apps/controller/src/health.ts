import type { Logger } from 'pino';
import type { ControllersView } from './model/controllers.js';
import type { Health } from './model/ports.js';

/** A probe does not wait for long, and a database that hangs is one that is gone. */
const ANSWER_TIMEOUT_MS = 2_000;

export interface HealthParts {
  /** Asks the database. */
  readonly controllers: () => Promise<ControllersView>;
  /** Whoever can reach this controller is an admin. */
  readonly isOpen: boolean;
  readonly log: Logger;
}

/** Anybody may ask: what is wrong is told in the log. */
export function healthOf({ controllers, isOpen, log }: HealthParts): () => Promise<Health> {
  const access = { ok: true, detail: isOpen ? 'open: whoever can reach this address is an admin' : 'by key or token' };
  let answered = true;
  const look = async (): Promise<Health> => {
    try {
      const leadership = { ok: true, detail: roleIn(await withinTime(controllers())) };
      answered = true;
      const database = { ok: true, detail: 'answers' };
      return { live: true, ready: true, checks: { database, leadership, access } };
    } catch (error) {
      if (answered) log.warn({ err: error }, 'the database does not answer');
      answered = false;
      const database = { ok: false, detail: 'does not answer; the log of the controller says why' };
      return { live: true, ready: false, checks: { database, access } };
    }
  };
  // However many ask: anybody may.
  let looking: Promise<Health> | undefined;
  return () => {
    looking ??= look().finally(() => {
      looking = undefined;
    });
    return looking;
  };
}

/** A controller is ready in any of these roles. */
function roleIn({ epoch, leader, items }: ControllersView): string {
  if (leader === null) return `no controller leads; the last epoch was ${epoch}`;
  const leads = items.some(({ id, self }) => self && id === leader.id);
  return `${leads ? 'leads' : 'follows: another controller leads'} in epoch ${epoch}, since ${leader.since}`;
}

async function withinTime<Answer>(answer: Promise<Answer>): Promise<Answer> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${ANSWER_TIMEOUT_MS} ms`)), ANSWER_TIMEOUT_MS);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}
