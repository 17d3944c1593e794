import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { missingNeeds } from '../require-program.js';
import { DEAD_SECONDS } from './bird-config.js';
import { LAB_PROGRAMS } from './lab.js';
import { lostSince, type Flow } from './probe.js';
import { byDelay, FAMILIES, FASTEST, nameOf, OVER_R2_R7, Stage, WITHOUT_R7 } from './stage.js';

const missing = missingNeeds({ programs: [...LAB_PROGRAMS, 'openssl', 'redis-server'], root: true });
/** Longer than all routers take to learn of a link, on a busy machine too: each computes its routes once a second. */
const HOLD_MS = 3000;
const POLICY = 'worker1:100:worker2';

/** The controller batches while change follows change (RFC 8405); after this long without one, a failure is the first. */
const QUIET_MS = 3500;

/** How the routers notice: that a carrier goes, at once; silence, when no hello has come for the dead interval. */
const BY_CARRIER = 'some lost; noticed by carrier';
const BY_SILENCE = `some lost; noticed after ${DEAD_SECONDS} s without hello`;

interface Failure {
  readonly scenario: string;
  /** What probes shall suffer, in words. */
  readonly expected: string;
  /** Directed links that lose their carrier. */
  readonly cut?: readonly string[];
  /** Directed links that lose their packets and keep their carrier. */
  readonly silence?: readonly string[];
  /** Where packets go afterwards. */
  readonly routers: readonly string[];
  /** Streams besides the two that the failure hits. */
  readonly watch?: readonly Flow[];
}

const title = `packet lab: failures${missing === undefined ? '' : ` (${missing})`}`;

describe.skipIf(missing !== undefined)(title, { timeout: 240_000 }, () => {
  let stage: Stage;

  beforeAll(async () => {
    stage = await Stage.start({ holdMs: HOLD_MS });
    await stage.learn();
    await stage.waymark.rest.createMesh(stage.mesh(byDelay));
    await stage.waymark.settled();
    await stage.moved(POLICY, FASTEST);
  }, 240_000);

  afterEach(({ task }) => {
    if (task.result?.state === 'fail') console.log(stage.waymark.logs());
  });

  afterAll(async () => {
    // A start that failed half-way has removed what it built.
    const started = stage as Stage | undefined;
    console.log(`\n${String(started?.report)}\n`);
    await started?.stop();
  }, 60_000);

  /** Breaks wires under probe streams, and holds what becomes of the policy and of the packets against the expected. */
  const fail = async ({ scenario, expected, cut = [], silence = [], routers, watch = [] }: Failure): Promise<void> => {
    const hit = FAMILIES.map((family) => stage.flow('worker1', 'worker2', family));
    let failedAt = NaN;
    let installedAt = NaN;
    const reports = await stage.underProbes([...hit, ...watch], async () => {
      await sleep(QUIET_MS);
      failedAt = performance.now();
      await Promise.all([stage.lab.wires.cut(cut), stage.lab.wires.silence(silence)]);
      await stage.moved(POLICY, routers);
      installedAt = performance.now();
      await stage.lab.settled();
      await stage.expectRouteOfStreams(scenario, 'worker1', 'worker2', routers);
    });
    expect(await stage.lab.wires.withCarrier([...cut, ...silence])).toEqual(silence);
    // The controller knows from the IGP, and only from there.
    const told = stage
      .sightings(failedAt)
      .filter(({ batch }) => batch.events.some((event) => event.kind === 'link-state' && event.state === 'down'));
    expect(told.length).toBeGreaterThan(0);
    for (const [index, flow] of [...hit, ...watch].entries()) {
      const report = reports[index];
      if (report === undefined) throw new Error('a stream without a report');
      stage.report.stream({
        scenario,
        flow: nameOf(flow),
        expected: index < hit.length ? expected : '-',
        report,
        toldMs: (told[0]?.seenAtMs ?? NaN) - failedAt,
        installedMs: installedAt - failedAt,
      });
      // It was hit: what is shown here is no failure of something beside the path.
      if (index < hit.length) expect(report.lost).toBeGreaterThan(0);
    }
  };

  /** Undoes a failure under probe streams: the policy returns after the hold time, and its move loses nothing. */
  const recover = async ({ scenario, cut = [], silence = [] }: Failure): Promise<void> => {
    const flows = FAMILIES.map((family) => stage.flow('worker1', 'worker2', family));
    let mendedAt = NaN;
    let usedAt = NaN;
    const reports = await stage.underProbes(flows, async () => {
      mendedAt = performance.now();
      await Promise.all([stage.lab.wires.mend(cut), stage.lab.wires.restore(silence)]);
      await stage.moved(POLICY, FASTEST);
      usedAt = performance.now();
      await stage.lab.settled();
      await stage.expectRouteOfStreams(`${scenario}, and back`, 'worker1', 'worker2', FASTEST);
    });
    const needed = FASTEST.slice(1).map((router, index) => `${FASTEST[index] ?? ''}:${router}`);
    const returned = stage
      .sightings(mendedAt)
      .filter(({ batch }) =>
        batch.events.some(
          (event) => event.kind === 'link-state' && event.state === 'up' && needed.includes(event.link),
        ),
      );
    const toldAt = returned.at(-1)?.seenAtMs ?? NaN;
    for (const [index, report] of reports.entries()) {
      stage.report.stream({
        scenario: `${scenario}, and back`,
        flow: flows[index] === undefined ? '' : nameOf(flows[index]),
        expected: `held for ${HOLD_MS} ms, then 0 lost`,
        report,
        toldMs: toldAt - mendedAt,
        installedMs: usedAt - mendedAt,
      });
    }
    expect(usedAt - toldAt).toBeGreaterThanOrEqual(HOLD_MS);
    // Until then the lists are the old ones: what is lost while routers learn of the link one after the other is the IGP's.
    expect(reports.map((report) => lostSince(report, toldAt + HOLD_MS))).toEqual(FAMILIES.map(() => 0));
  };

  it('moves traffic when a wire is cut, and back when it has returned for long enough', async () => {
    const failure = {
      scenario: 'R6-R7 cut',
      expected: BY_CARRIER,
      cut: stage.lab.wires.wire('R6:R7'),
      routers: OVER_R2_R7,
    };
    await fail(failure);
    await recover(failure);
  });

  it('moves traffic when a wire loses every packet and no router loses its carrier', async () => {
    const failure = {
      scenario: 'R4-R5 silent',
      expected: BY_SILENCE,
      silence: stage.lab.wires.wire('R4:R5'),
      routers: OVER_R2_R7,
    };
    await fail(failure);
    await recover(failure);
  });

  it('moves traffic in both directions when a wire loses the packets of one', async () => {
    const back = stage.flow('worker2', 'worker1', 'ipv4');
    const failure = {
      scenario: 'R7>R8 loses all',
      expected: BY_SILENCE,
      silence: ['R7:R8'],
      routers: WITHOUT_R7,
      watch: [back],
    };
    await fail(failure);
    await stage.moved('worker2:100:worker1', WITHOUT_R7.toReversed());
    await stage.lab.settled();
    await stage.expectRoute(failure.scenario, back, WITHOUT_R7.toReversed());
    await recover(failure);
  });

  it('moves traffic around a router that lost power', async () => {
    const failure = {
      scenario: 'R7 without power',
      expected: BY_CARRIER,
      cut: stage.lab.wires.wiresOf('R7'),
      routers: WITHOUT_R7,
    };
    await fail(failure);
    await recover(failure);
  });

  it('moves traffic around a router that hangs with all its carriers up', async () => {
    const failure = {
      scenario: 'R5 hangs',
      expected: BY_SILENCE,
      silence: stage.lab.wires.wiresOf('R5'),
      routers: OVER_R2_R7,
    };
    await fail(failure);
    await recover(failure);
  });

  it('moves traffic past two failures at once, the second hidden behind the first', async () => {
    // The first is noticed at once and leaves R2-R7 as the best way; that this one is dead shows seconds later.
    const failure = {
      scenario: 'R5-R6 cut, R2-R7 silent',
      expected: BY_SILENCE,
      cut: stage.lab.wires.wire('R5:R6'),
      silence: stage.lab.wires.wire('R2:R7'),
      routers: ['R3', 'R4', 'R6', 'R7', 'R8'],
    };
    await fail(failure);
    await recover(failure);
  });
});
