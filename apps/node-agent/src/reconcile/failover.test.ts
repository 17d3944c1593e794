import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { SegmentList } from '../dataplane/port.js';
import { probeRoutesOf } from '../liveness/probe-address.js';
import { ProbeEngine } from '../liveness/probe-engine.js';
import { NONCE_BYTES } from '../liveness/probe-packet.js';
import { everybodys } from '../testing/policies.js';
import type { WantedTunnel } from './desired-entry.js';
import { effectiveTunnel } from './effective-tunnel.js';

const INTERVAL_MS = 100;
const TIMING = { intervalMs: INTERVAL_MS, multiplier: 3, holdDownMs: 500 };
/** Intervals after which the engine must have told: a timeout of at most 1 s, losses or answers in a row, hold-down. */
const SURE = 10 + 3 + 5 + 2;

const own: SegmentList[] = [
  { weight: 1, sids: ['fc00:a::1', 'fc00:2::d6'] },
  { weight: 3, sids: ['fc00:b::1', 'fc00:2::d6'] },
];
const standbyLists: SegmentList[] = [{ weight: 1, sids: ['fc00:c::1', 'fc00:2::d6'] }];
const LISTS = [...own, ...standbyLists];
const wanted: WantedTunnel = {
  family: 'ipv6',
  bsid: 'fdff::1',
  alternateBsid: 'fdff::2',
  action: { kind: 'encapsulate', segmentLists: own },
  standbyLists,
  steeredPrefixes: everybodys(['fd02::/64']),
};

/** How the three lists fare for how many intervals. */
const spell = fc.tuple(fc.tuple(fc.boolean(), fc.boolean(), fc.boolean()), fc.integer({ min: 1, max: 40 }));

it('whatever the probes meet, a tunnel keeps lists, leaves dead ones for live ones, and comes back', () => {
  fc.assert(
    fc.property(fc.array(spell, { minLength: 1, maxLength: 12 }), (spells) => {
      let alive: readonly boolean[] = [true, true, true];
      let nowMs = 0;
      const now = () => ({ monotonicMs: nowMs, unixMs: nowMs });
      const answers: Uint8Array[] = [];
      const routes = probeRoutesOf(
        LISTS.map(({ sids }) => sids),
        'fc00:9::/64',
      );
      const indexOf = new Map(
        routes.map(({ address, sids }) => [address, LISTS.findIndex((list) => list.sids.join() === sids.join())]),
      );
      const engine = new ProbeEngine(TIMING, new Uint8Array(NONCE_BYTES), (address, packet) => {
        if (alive[indexOf.get(address) ?? 0] === true) answers.push(packet);
      });
      engine.expect(routes, now());
      engine.probe(routes, now());
      let installed: ReadonlySet<string> = new Set();
      let sure = LISTS.map(() => 0);

      for (const [state, intervals] of spells) {
        sure = sure.map((count, index) => (state[index] === alive[index] ? count : 0));
        alive = state;
        for (let step = 0; step < intervals * 10; step += 1) {
          nowMs += INTERVAL_MS / 10;
          engine.advance(now());
          for (const packet of answers.splice(0)) engine.hear(packet, now());
        }
        sure = sure.map((count) => count + intervals);

        const { action } = effectiveTunnel(wanted, {
          livenessOf: ({ sids }) => engine.livenessOf(sids),
          installed,
          fits: () => true,
        });
        if (action.kind !== 'encapsulate') throw new Error('it drops');
        installed = new Set(action.segmentLists.map(({ sids }) => sids.join()));
        const uses = LISTS.map(({ sids }) => installed.has(sids.join()));
        const isSurely = (index: number, up: boolean) => alive[index] === up && (sure[index] ?? 0) >= SURE;

        expect(uses).toContain(true);
        expect(uses[2] === true && (uses[0] === true || uses[1] === true)).toBe(false);
        const someUp = [0, 1, 2].some((index) => isSurely(index, true));
        for (const index of [0, 1, 2]) if (someUp && isSurely(index, false)) expect(uses[index]).toBe(false);
        for (const index of [0, 1]) if (isSurely(index, true)) expect(uses[index]).toBe(true);
        if ([0, 1].every((index) => isSurely(index, false)) && isSurely(2, true)) expect(uses[2]).toBe(true);
        if ([0, 1, 2].every((index) => isSurely(index, false))) expect(uses).toEqual([true, true, false]);
      }
    }),
    { numRuns: 300 },
  );
});
