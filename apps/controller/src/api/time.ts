import { Problem } from '../model/errors.js';

/** The pattern of a timestamp lets times pass that no clock shows. Throws `request-invalid`. */
export function timeOf(field: string, text: string): Date {
  const time = new Date(text);
  if (!Number.isNaN(time.getTime())) return time;
  throw new Problem('request-invalid', { detail: `there is no such time as ${text}`, field });
}
