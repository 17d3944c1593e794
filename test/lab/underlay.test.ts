import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { SourceBatch } from '../../apps/controller/src/model/topology.js';
import { missingNeeds } from '../require-program.js';
import { IgpReader } from './igp-reader.js';
import { kernelRoutes } from './kernel-routes.js';
import { Lab, LAB_PROGRAMS } from './lab.js';
import { ping } from './probe.js';
import { RouteMonitor } from './route-monitor.js';
import type { Family, Host } from './testbed.js';
import { installServiceSids, SRV6_DEVICE } from './wiring.js';

const FAMILIES = ['ipv4', 'ipv6'] as const satisfies readonly Family[];

const missing = missingNeeds({ programs: LAB_PROGRAMS, root: true });

/** The lab itself, with routes written by hand: what the suites that run Waymark in it stand on. */
describe.skipIf(missing !== undefined)(
  `packet lab without Waymark${missing === undefined ? '' : ` (${missing})`}`,
  () => {
    let lab: Lab;

    beforeAll(async () => {
      lab = await Lab.start();
      await installServiceSids(lab.namespaces, lab.testbed);
    });

    afterAll(async () => {
      await lab.stop();
    });

    const host = (id: string): Host => {
      const found = lab.testbed.hosts.find((candidate) => candidate.id === id);
      if (found === undefined) throw new Error(`no host ${id}`);
      return found;
    };

    /** Steers pod prefixes into a segment list, by the means an administrator has. */
    const encapsulate = async (
      headend: string,
      endpoint: string,
      transport: readonly string[],
      mode: 'encap' | 'encap.red' = 'encap',
    ): Promise<void> => {
      const { serviceSid, pods } = host(endpoint);
      await lab.namespaces.ip(
        headend,
        pods.flatMap(({ prefix }) => [
          `route replace ${prefix.ipv4} encap seg6 mode ${mode} segs ${[...transport, serviceSid.ipv4].join(',')} dev ${SRV6_DEVICE}`,
          `route replace ${prefix.ipv6} encap seg6 mode ${mode} segs ${[...transport, serviceSid.ipv6].join(',')} dev ${SRV6_DEVICE}`,
        ]),
      );
    };

    const endSid = (router: string): string => lab.testbed.routers.find(({ id }) => id === router)?.endSid ?? '';

    it('delivers nothing between pods before a tunnel exists', async () => {
      for (const family of FAMILIES) {
        const flow = { from: host('worker1').pods[0], to: host('worker2').pods[0], family };
        expect(await ping(lab.namespaces, flow, 300)).toBe(false);
      }
    });

    it.each(
      (['encap', 'encap.red'] as const).flatMap(
        (mode) =>
          [
            [mode, 'worker1', 'worker2', ['R6', 'R8'], ['worker1', 'R3', 'R4', 'R6', 'R8', 'worker2']],
            [mode, 'worker2', 'worker1', ['R4', 'R3'], ['worker2', 'R8', 'R6', 'R4', 'R3', 'worker1']],
            [mode, 'worker2', 'master', ['R2', 'R3'], ['worker2', 'R8', 'R7', 'R2', 'R3', 'master']],
          ] as const,
      ),
    )("with %s takes the paper's way from %s to %s over %j", async (mode, headend, endpoint, transport, expected) => {
      await encapsulate(headend, endpoint, transport.map(endSid), mode);
      for (const family of FAMILIES) {
        const flow = { from: host(headend).pods[0], to: host(endpoint).pods[0], family };
        const { routes, report } = await lab.trace(flow);
        expect(report.lost).toBe(0);
        expect(routes.map(({ nodes }) => nodes)).toEqual([expected]);
      }
    });

    it('lets pods answer each other over IPv4 and IPv6', async () => {
      await encapsulate('master', 'worker2', [endSid('R8')]);
      for (const family of FAMILIES) {
        for (const [from, to] of [
          ['worker1', 'worker2'],
          ['worker2', 'master'],
        ] as const) {
          expect(await ping(lab.namespaces, { from: host(from).pods[1], to: host(to).pods[0], family }, 2000)).toBe(
            true,
          );
        }
      }
    });

    it('crosses the link an End.X SID names, against the shortest path', async () => {
      const endX = lab.testbed.arcs.find(({ id }) => id === 'R4:R5')?.endXSid ?? '';
      await encapsulate('worker1', 'worker2', [endX, endSid('R8')]);
      const flow = { from: host('worker1').pods[0], to: host('worker2').pods[0], family: 'ipv4' } as const;
      const { routes } = await lab.trace(flow);
      expect(routes.map(({ nodes }) => nodes)).toEqual([['worker1', 'R3', 'R4', 'R5', 'R6', 'R8', 'worker2']]);
    });

    it('records every change of a route, and nothing else', async () => {
      const quiet = await RouteMonitor.start(lab.namespaces, 'worker1');
      expect(await quiet.stop()).toEqual([]);
      const busy = await RouteMonitor.start(lab.namespaces, 'worker1');
      await encapsulate('worker1', 'master', []);
      expect(await busy.stop()).toHaveLength(host('master').pods.length * FAMILIES.length);
      const tunnels = (await kernelRoutes(lab.namespaces, 'worker1')).filter(({ encap }) => encap === 'seg6');
      expect(tunnels).toHaveLength(8);
    });

    it('sees a cut wire through the IGP alone, and its return', async () => {
      const batches: SourceBatch[] = [];
      const reader = new IgpReader({
        testbed: lab.testbed,
        controlSockets: ['R1', 'R5'].map((router) => lab.controlSocket(router)),
        post: (batch) => Promise.resolve(void batches.push(batch)),
        intervalMs: 50,
      });
      const linkStates = (from: number): string[] =>
        batches
          .slice(from)
          .flatMap(({ events }) => events)
          .flatMap((event) => (event.kind === 'link-state' ? [`${event.link} ${event.state}`] : []))
          .sort();
      reader.start();
      await vi.waitFor(() => expect(batches).toHaveLength(1));
      expect(batches[0]).toMatchObject({ sequence: 1, full: true });
      expect(linkStates(0)).toEqual(lab.testbed.arcs.map(({ id }) => `${id} up`).sort());
      await lab.wires.cut(lab.wires.wire('R6:R8'));
      await vi.waitFor(() => expect(linkStates(1)).toEqual(['R6:R8 down', 'R8:R6 down']), 10_000);
      const afterCut = batches.length;
      await lab.wires.mend(lab.wires.wire('R6:R8'));
      await vi.waitFor(() => expect(linkStates(afterCut)).toEqual(['R6:R8 up', 'R8:R6 up']), 20_000);
      await reader.stop();
      expect(batches.map(({ sequence }) => sequence)).toEqual(batches.map((_, index) => index + 1));
    });
  },
);
