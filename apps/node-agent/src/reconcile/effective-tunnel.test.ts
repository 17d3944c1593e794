import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SegmentList, Tunnel } from '../dataplane/port.js';
import type { JudgedLiveness } from '../liveness/probe-engine.js';
import { everybodys } from '../testing/policies.js';
import type { WantedTunnel } from './desired-entry.js';
import { effectiveTunnel } from './effective-tunnel.js';

const own: SegmentList[] = [
  { weight: 1, sids: ['a'] },
  { weight: 2, sids: ['b'] },
  { weight: 4, sids: ['c'] },
];
const standby: SegmentList[] = [
  { weight: 1, sids: ['x'] },
  { weight: 1, sids: ['y'] },
];
const bsids = { bsid: 'fdff::1', alternateBsid: 'fdff::2' };

function wanted(action: Tunnel['action'] = { kind: 'encapsulate', segmentLists: own }, standbyLists = standby) {
  return {
    family: 'ipv6',
    ...bsids,
    action,
    standbyLists,
    steeredPrefixes: everybodys(['fd02::/64']),
  } satisfies WantedTunnel;
}

const ALL = ['a', 'b', 'c', 'x', 'y'];
const LETTERS = { u: 'up', d: 'down', '?': 'unknown', s: 'settling' } as const;

/** States as letters, of a, b, c and of x, y; and what is installed. Gives the lists that are chosen, with weights. */
function choose(states: string, installed = '', fits = true): string {
  const letters = new Map(ALL.map((list, index) => [list, states[index] as keyof typeof LETTERS]));
  const { action } = effectiveTunnel(wanted(), {
    livenessOf: ({ sids }): JudgedLiveness => LETTERS[letters.get(sids[0] ?? '') ?? '?'],
    installed: new Set(installed),
    fits: () => fits,
  });
  if (action.kind !== 'encapsulate') return action.kind;
  return action.segmentLists.map(({ weight, sids }) => `${weight}${sids.join()}`).join(' ');
}

describe('the lists that a tunnel uses', () => {
  it.each([
    ['????? at first', '?????', '', '1a 2b 4c'],
    ['all of its own while they are up', 'uuuuu', 'abc', '1a 2b 4c'],
    ['those that are not down', 'uduuu', 'abc', '1a 4c'],
    ['with weights in lowest terms', 'duuuu', 'abc', '1b 2c'],
    ['one of which nothing is known', 'dd?uu', 'abc', '1c'],
    ['the standby lists when all of its own are down', 'ddduu', 'abc', '1x 1y'],
    ['those standby lists that are not down', 'dddud', 'abc', '1x'],
    ['its own when nothing is known of the standby lists', 'ddd??', 'abc', '1a 2b 4c'],
    ['its own, all of them, when nothing is up', 'ddddd', 'xy', '1a 2b 4c'],
    ['its own as soon as one is up again', 'duduu', 'xy', '1b'],
    ['what is installed until probes can have told: own', 'sssss', 'ac', '1a 4c'],
    ['what is installed until probes can have told: standby', 'sssss', 'x', '1x'],
    ['standby while one of its own is down and the others settle', 'dssuu', 'xy', '1x 1y'],
    ['its own that is up, though others settle', 'ussuu', 'xy', '1a'],
    ['those that settle, where none of this policy is installed', 'sssss', 'qr', '1a 2b 4c'],
    ['its own once their time is up and nothing is known', '???uu', 'xy', '1a 2b 4c'],
  ])('are %s', (_, states, installed, lists) => {
    expect(choose(states, installed)).toBe(lists);
  });

  it('are its own when the data plane cannot hold the standby lists', () => {
    expect(choose('ddduu', 'abc', false)).toBe('1a 2b 4c');
  });

  it('are none when the policy drops', () => {
    const tunnel = effectiveTunnel(wanted({ kind: 'drop' }, []), {
      livenessOf: () => 'down',
      installed: new Set(),
      fits: () => true,
    });
    expect(tunnel.action).toEqual({ kind: 'drop' });
  });

  const letters = fc.string({ unit: fc.constantFrom('u', 'd', '?', 's'), minLength: 5, maxLength: 5 });

  it('are never none, never mixed, and never a dead one beside a live one', () => {
    fc.assert(
      fc.property(letters, fc.subarray([...ALL, 'q']), (states, installed) => {
        const lists = choose(states, installed.join(''))
          .split(' ')
          .map((text) => text.slice(1));
        expect(lists.length).toBeGreaterThan(0);
        const isStandby = lists.map((list) => 'xy'.includes(list));
        expect(new Set(isStandby).size).toBe(1);
        const stateOf = (list: string) => states['abcxy'.indexOf(list)];
        const chosen = lists.map(stateOf);
        // Whenever any list of the policy is known to be up, nothing that is down is used.
        if (states.includes('u')) expect(chosen).not.toContain('d');
        // Standby is for when all of its own are down or not yet in use again.
        if (isStandby[0] === true) expect(ALL.slice(0, 3).map(stateOf)).not.toContain('u');
        // Nothing up, nothing settling: the controller's word.
        if (!/[us]/.test(states) && !states.slice(0, 3).includes('?')) expect(lists).toEqual(['a', 'b', 'c']);
      }),
      { numRuns: 2_000 },
    );
  });

  it('stay as they are when chosen again', () => {
    fc.assert(
      fc.property(letters, fc.subarray(ALL), (states, installed) => {
        const first = choose(states, installed.join(''));
        const again = choose(states, first.replaceAll(/[\d ]/g, ''));
        expect(choose(states, again.replaceAll(/[\d ]/g, ''))).toBe(again);
      }),
      { numRuns: 2_000 },
    );
  });
});
