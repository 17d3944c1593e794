import { Gauge, type Registry } from 'prom-client';
import type { DataPlaneView } from './data-plane-view.js';

type Sample = readonly [labels: Readonly<Record<string, string>>, value: number];

/** What the data plane counts, for Prometheus: totals, from which it makes its own rates. */
export function registerCounterMetrics(registry: Registry, view: () => DataPlaneView | null): void {
  const gauge = (
    name: string,
    help: string,
    labelNames: readonly string[],
    samples: (view: DataPlaneView) => readonly Sample[],
  ) => {
    new Gauge({
      name: `waymark_agent_${name}`,
      help,
      labelNames,
      registers: [registry],
      collect() {
        // What is gone must not go on being told.
        this.reset();
        const current = view();
        for (const [labels, value] of current === null ? [] : samples(current)) this.set(labels, value);
      },
    });
  };

  gauge('dataplane_info', 'Version of the data plane; absent while it does not answer', ['version'], (now) =>
    now.reachable ? [[{ version: now.version }, 1]] : [],
  );

  const interfaces = [
    ['up', '1 while the interface carries traffic', 'up'],
    ['rx_bytes', 'Bytes received', 'rxBytes'],
    ['rx_packets', 'Packets received', 'rxPackets'],
    ['tx_bytes', 'Bytes sent', 'txBytes'],
    ['tx_packets', 'Packets sent', 'txPackets'],
    ['drops', 'Packets dropped, received or to be sent', 'drops'],
  ] as const;
  for (const [name, help, field] of interfaces) {
    gauge(`interface_${name}`, help, ['interface'], (now) =>
      now.interfaces.map((counters): Sample => [{ interface: counters.name }, Number(counters[field])]),
    );
  }

  const localSids = [
    ['good_packets', 'Packets that a local SID processed', 'goodPackets'],
    ['good_bytes', 'Bytes that a local SID processed', 'goodBytes'],
    ['bad_packets', 'Packets that a local SID could not process', 'badPackets'],
    ['bad_bytes', 'Bytes that a local SID could not process', 'badBytes'],
  ] as const;
  for (const [name, help, field] of localSids) {
    gauge(`local_sid_${name}`, help, ['sid', 'behavior'], (now) =>
      now.localSids.map(({ sid, behavior, ...counts }): Sample => [{ sid, behavior }, counts[field]]),
    );
  }

  for (const unit of ['packets', 'bytes'] as const) {
    gauge(`edge_dropped_${unit}`, `Dropped at the edge of the SR domain, in ${unit}`, ['reason'], (now) =>
      now.edgeDrops.map(({ reason, ...counts }): Sample => [{ reason }, counts[unit]]),
    );
  }
}
