import { Problem } from '../model/errors.js';

/** The pattern of a timestamp lets times pass that no clock shows. Throws `request-invalid`. */
export function timeOf(field: string, text: string): Date {
  const time = new Date(text);
  if (!Number.isNaN(time.getTime())) return time;
  throw new Problem('request-invalid', { detail: `there is no such time as ${text}`, field });
}

/** The filters `since` and `until` of a list as times; the others as they are. */
export function withTimes<Filter extends { readonly since?: string; readonly until?: string }>({
  since,
  until,
  ...others
}: Filter): Omit<Filter, 'since' | 'until'> & { readonly since?: Date; readonly until?: Date } {
  return {
    ...others,
    ...(since === undefined ? {} : { since: timeOf('since', since) }),
    ...(until === undefined ? {} : { until: timeOf('until', until) }),
  };
}
