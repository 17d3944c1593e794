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

async function reservationOf(link: LinkView, booked: readonly number[] | undefined): Promise<unknown> {
  const { app } = await testApp({
    topology: { link: () => Promise.resolve(link) },
    policies: { booked: () => Promise.resolve(new Map(booked === undefined ? [] : [['a:b', booked]])) },
  });
  const response = await app.inject('/v1/links/a:b');
  await app.close();
  return response.json<{ readonly reservation: unknown }>().reservation;
}

const sixAtLowest = [0, 0, 0, 0, 0, 0, 0, 6 * G];

describe('a link', () => {
  it.each([
    [{ bandwidthBps: 10 * G, reservableBandwidthBps: null }, undefined, 0, 10 * G],
    [{ bandwidthBps: 10 * G, reservableBandwidthBps: 8 * G }, sixAtLowest, 6 * G, 2 * G],
    // the operator lowered what can be reserved after it was booked
    [{ bandwidthBps: 10 * G, reservableBandwidthBps: 4 * G }, sixAtLowest, 6 * G, 0],
    [{ bandwidthBps: null, reservableBandwidthBps: null }, undefined, 0, null],
  ])('with %j of which %j are booked has %s left', async (values, booked, bookedBps, unreservedBps) => {
    expect(await reservationOf(linkOf(values), booked)).toMatchObject({ bookedBps, unreservedBps });
  });

  it('tells what is left at each setup priority', async () => {
    const link = linkOf({ bandwidthBps: 10 * G, reservableBandwidthBps: null });
    expect(await reservationOf(link, [G, 0, 0, 3 * G, 0, 0, 0, 7 * G])).toEqual({
      bookedBps: 11 * G,
      unreservedBps: 0,
      unreservedBpsByPriority: [9 * G, 9 * G, 9 * G, 6 * G, 6 * G, 6 * G, 6 * G, 0],
    });
    const unknown = linkOf({ bandwidthBps: null, reservableBandwidthBps: null });
    expect(await reservationOf(unknown, undefined)).toMatchObject({ unreservedBpsByPriority: null });
  });
});
