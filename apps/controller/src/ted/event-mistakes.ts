import { canBeSid, canonicalIpv6 } from '@waymark/topology';
import type { SourceEvent } from '../model/topology.js';

interface FieldError {
  readonly field: string;
  readonly detail: string;
}

/** What is wrong with events whatever the topology is: SIDs that can be none, or are given twice, and delays out of order. */
export function mistakesInEvents(events: readonly SourceEvent[]): FieldError[] {
  return events.flatMap((event, i) => {
    if (event.kind === 'service-sids') return mistakesInSids(event.sids, `/events/${i}/sids`);
    if (event.kind === 'link-measurement') return mistakesInDelays(event, `/events/${i}`);
    return [];
  });
}

function mistakesInSids(sids: readonly { readonly sid: string }[], at: string): FieldError[] {
  const seen = new Set<string>();
  return sids.flatMap(({ sid }, i) => {
    const field = `${at}/${i}/sid`;
    const canonical = spelling(sid);
    if (canonical === undefined) return [{ field, detail: `"${sid}" is not an IPv6 address` }];
    if (!canBeSid(canonical)) {
      const detail = `${sid} is no SID: it is unspecified, loopback, link-local, multicast or an IPv4 address`;
      return [{ field, detail }];
    }
    if (seen.has(canonical)) return [{ field, detail: `${sid} is given twice: a SID has one behavior` }];
    seen.add(canonical);
    return [];
  });
}

function spelling(sid: string): string | undefined {
  try {
    return canonicalIpv6(sid);
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

type Delays = Pick<SourceEvent & { readonly kind: 'link-measurement' }, 'delayUs' | 'delayMinUs' | 'delayMaxUs'>;

function mistakesInDelays({ delayMinUs, delayUs, delayMaxUs }: Delays, at: string): FieldError[] {
  const known = Object.entries({ delayMinUs, delayUs, delayMaxUs }).filter(([, value]) => typeof value === 'number');
  return known.flatMap(([name, value], i) => {
    const [before, least] = known[i - 1] ?? [];
    if (least === undefined || least === null || (value as number) >= least) return [];
    return [
      {
        field: `${at}/${name}`,
        detail: `${name} is ${value ?? ''}, and ${before ?? ''} ${least}: expected delayMinUs <= delayUs <= delayMaxUs`,
      },
    ];
  });
}
