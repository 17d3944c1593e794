import { stateHashOf } from '@waymark/agent-protocol';
import type { DataPlane, Step, TunnelAction } from '../dataplane/port.js';
import { canonicalLists } from '../dataplane/segment-lists.js';
import { steeredText } from '../dataplane/steered-prefix.js';
import type { DesiredState } from '../session/ports.js';
import { colorOf, type EntrySketch, type TunnelSketch } from './policies.js';

/** The oracle: what each prefix must meet, straight from the sketches. */
export function wantedForwarding(sketches: readonly EntrySketch[]): Record<string, TunnelAction> {
  const pairs = sketches.flatMap((sketch) => {
    if ('sources' in sketch) return [];
    const color = colorOf(sketch.id);
    return [sketch.ipv4, sketch.ipv6].flatMap((tunnel) => {
      if (tunnel === undefined) return [];
      const texts = [
        ...tunnel.prefixes,
        ...(tunnel.classPrefixes ?? []).map((prefix) => steeredText({ prefix, color })),
      ];
      return texts.map((text): [string, TunnelAction] => [text, actionOf(tunnel)]);
    });
  });
  return Object.fromEntries(pairs);
}

/** The oracle: of which class each address must be, straight from the sketches. */
export function wantedSources(sketches: readonly EntrySketch[]): Record<string, number> {
  const pairs = sketches.flatMap((sketch) =>
    'sources' in sketch ? sketch.sources.map((address): [string, number] => [address, colorOf(sketch.id)]) : [],
  );
  return Object.fromEntries(pairs);
}

export function actionOf(tunnel: TunnelSketch | undefined): TunnelAction {
  if (tunnel === undefined) throw new Error('the policy has no such tunnel');
  if (tunnel.lists === 'drop') return { kind: 'drop' };
  return {
    kind: 'encapsulate',
    segmentLists: canonicalLists(tunnel.lists.map(([weight, ...sids]) => ({ weight, sids }))),
  };
}

export function hashOf({ policies }: DesiredState): Uint8Array {
  return stateHashOf([...policies].map(([policyId, { body }]) => ({ policyId, body })));
}

/** The data plane, and every step that it is told. */
export function listening(dataPlane: DataPlane, steps: Step[]): DataPlane {
  return {
    capabilities: dataPlane.capabilities,
    prepare: () => dataPlane.prepare(),
    read: () => dataPlane.read(),
    objection: (tunnel) => dataPlane.objection(tunnel),
    objectionToClass: (color) => dataPlane.objectionToClass(color),
    close: () => dataPlane.close(),
    dismantle: () => dataPlane.dismantle(),
    readCounters: () => dataPlane.readCounters(),
    watch: (wake) => dataPlane.watch(wake),
    apply: (batch) => {
      steps.push(...batch);
      return dataPlane.apply(batch);
    },
  };
}
