import { describe, expect, it } from 'vitest';
import { eventsBetween, parseOspfState, viewOf } from './link-state.js';
import { paperTestbed } from './testbed.js';

/** As BIRD 2 prints it, for the part of the testbed around R8. */
const AROUND_R8 = `
area 0.0.0.0

	router 10.0.0.6
		distance 0
		router 10.0.0.8 metric 10
		stubnet fcff:6::/48 metric 0

	router 10.0.0.8
		distance 10
		router 10.0.0.6 metric 25
		stubnet fcff:8::/48 metric 0
		stubnet fd20:8:3::/64 metric 10
`;

const testbed = paperTestbed();
const view = (text: string): ReturnType<typeof viewOf> => viewOf(parseOspfState(text), testbed);

describe('link state read from BIRD', () => {
  it('takes each direction from the router that it leaves', () => {
    const { links } = view(AROUND_R8);
    expect(links.get('R6:R8')).toBe(10);
    expect(links.get('R8:R6')).toBe(25);
    expect(links.get('R6:R7')).toBeNull();
  });

  it('believes in a host as long as its attachment router advertises the subnet between them', () => {
    expect(view(AROUND_R8).nodes.get('worker2')).toBe('up');
    const without = view(AROUND_R8.replace(/.*fd20.*\n/, ''));
    expect(without.nodes.get('worker2')).toBe('down');
    expect(without.links.get('worker2:R8')).toBeNull();
  });

  it('takes what an unreachable router once advertised for down', () => {
    const after = view(AROUND_R8.replace('distance 10', 'unreachable'));
    expect(after.nodes.get('R8')).toBe('down');
    expect(after.links.get('R8:R6')).toBeNull();
    expect(after.nodes.get('worker2')).toBe('down');
  });

  it('reports only what changed', () => {
    const before = view(AROUND_R8);
    expect(eventsBetween(before, view(AROUND_R8))).toEqual([]);
    expect(eventsBetween(before, view(AROUND_R8.replace('metric 25', 'metric 30')))).toEqual([
      { kind: 'link-igp-metric', link: 'R8:R6', igpMetric: 30 },
    ]);
    expect(eventsBetween(before, view(AROUND_R8.replace(/.*10\.0\.0\.8 metric.*\n/, '')))).toEqual([
      { kind: 'link-state', link: 'R6:R8', state: 'down' },
    ]);
  });

  it('states every node and link when nothing was stated before', () => {
    const stated = eventsBetween(undefined, view(AROUND_R8));
    expect(stated.filter(({ kind }) => kind === 'node-state')).toHaveLength(11);
    expect(stated.filter(({ kind }) => kind === 'link-state')).toHaveLength(testbed.arcs.length);
  });
});
