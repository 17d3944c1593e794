import { describe, expect, it } from 'vitest';
import type { LinkView } from '../model/topology.js';
import { testApp } from '../testing/test-app.js';
import { diamond } from '../testing/sketched-network.js';

const G = 1_000_000_000;

function linkOf(values: {
  readonly bandwidthBps: number | null;
  readonly reservableBandwidthBps: number | null;
}): LinkView {
  const link = diamond().links.find(({ id }) => id === 'a:b');
  if (link === undefined) throw new Error('the diamond has no link a:b');
  return { effective: { ...link, ...values }, provenance: {}, layers: [] };
}

async function reservationOf(link: LinkView, bookedBps: number): Promise<unknown> {
  const { app } = await testApp({
    topology: { link: () => Promise.resolve(link) },
    policies: { booked: () => Promise.resolve(new Map(bookedBps === 0 ? [] : [['a:b', bookedBps]])) },
  });
  const response = await app.inject('/v1/links/a:b');
  await app.close();
  return response.json<{ readonly reservation: unknown }>().reservation;
}

describe('a link', () => {
  it.each([
    [{ bandwidthBps: 10 * G, reservableBandwidthBps: null }, 0, 10 * G],
    [{ bandwidthBps: 10 * G, reservableBandwidthBps: 8 * G }, 6 * G, 2 * G],
    // the operator lowered what can be reserved after it was booked
    [{ bandwidthBps: 10 * G, reservableBandwidthBps: 4 * G }, 6 * G, 0],
    [{ bandwidthBps: null, reservableBandwidthBps: null }, 0, null],
  ])('with %j of which %d are booked has %s left', async (values, bookedBps, unreservedBps) => {
    expect(await reservationOf(linkOf(values), bookedBps)).toEqual({ bookedBps, unreservedBps });
  });
});
