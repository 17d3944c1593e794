import type { AdvertisedAttributes, TedLink } from './ted.js';

/** What routers advertise of a link for flexible algorithms. */
export function advertisedOf(link: Omit<TedLink, 'id'>): AdvertisedAttributes {
  const { teMetric, delayMinUs, affinities, srlgs } = link.advertised ?? link;
  return { teMetric, delayMinUs, affinities, srlgs };
}

/** The link with what routers advertise of it, whatever its own values are; null where these are the same. */
export function withAdvertised<Link extends TedLink>(link: Link, advertised: AdvertisedAttributes): Link {
  const isSame =
    link.teMetric === advertised.teMetric &&
    link.delayMinUs === advertised.delayMinUs &&
    sameItems(link.affinities, advertised.affinities) &&
    sameItems(link.srlgs, advertised.srlgs);
  return { ...link, advertised: isSame ? null : advertised };
}

function sameItems<T>(a: readonly T[], b: readonly T[]): boolean {
  return a.length === b.length && a.every((item, i) => item === b[i]);
}
