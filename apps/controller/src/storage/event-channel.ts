import { sql, type Kysely } from 'kysely';
import type { WaymarkEvent } from '../model/events.js';
import type { Tables } from './database.js';

/** Channel on which committed transactions tell every controller of their events. */
export const EVENT_CHANNEL = 'waymark_events';

/** Postgres refuses notifications of 8,000 bytes and more. */
const MAX_PAYLOAD_BYTES = 7_900;
/** Longest text of an event that would not fit: 6 bytes a character at worst, in UTF-8 within JSON. */
const MAX_TEXT = 500;

export type AnnounceEvents = typeof announceEvents;

/**
 * Tells every controller of these events when the transaction commits, and never otherwise: all of them hear the same
 * events in the same order. (Events that each controller finds by itself in the database are not announced.)
 */
export async function announceEvents(tx: Kysely<Tables>, events: readonly WaymarkEvent[]): Promise<void> {
  if (events.length === 0) return;
  await sql`
    select pg_notify(${EVENT_CHANNEL}, payload)
    from unnest(${payloadsOf(events)}::text[]) with ordinality as p (payload, place) order by place
  `.execute(tx);
}

/** The events of one notification. Throws SyntaxError for what announceEvents did not write. */
export function announcedEvents(payload: string): readonly WaymarkEvent[] {
  const events: unknown = JSON.parse(payload);
  if (!Array.isArray(events)) throw new SyntaxError('events are announced as a list');
  return events as readonly WaymarkEvent[];
}

/** As many events a notification as fit, in their order. */
export function payloadsOf(events: readonly WaymarkEvent[]): string[] {
  const payloads: string[] = [];
  let some: string[] = [];
  let bytes = 0;
  for (const event of events) {
    const text = fitting(event);
    const more = Buffer.byteLength(text) + 1;
    if (some.length > 0 && bytes + more > MAX_PAYLOAD_BYTES) {
      payloads.push(`[${some.join()}]`);
      some = [];
      bytes = 0;
    }
    some.push(text);
    bytes += more;
  }
  return some.length === 0 ? payloads : [...payloads, `[${some.join()}]`];
}

function fitting(event: WaymarkEvent): string {
  const whole = JSON.stringify(event);
  if (Buffer.byteLength(whole) < MAX_PAYLOAD_BYTES) return whole;
  return JSON.stringify(event, (_, value: unknown) =>
    typeof value === 'string' && value.length > MAX_TEXT ? `${value.slice(0, MAX_TEXT)}…` : value,
  );
}
