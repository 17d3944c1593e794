import type { AdminState, LinkId, NodeId, Ted } from '@waymark/topology';

/** What operators have laid over links and nodes, for an export. */
export interface OperatorSettings {
  readonly nodes: readonly OperatorNodeSettings[];
  readonly links: readonly OperatorLinkSettings[];
}

export interface OperatorNodeSettings {
  readonly id: NodeId;
  readonly adminState?: AdminState | null;
  readonly msdHEncaps?: number | null;
}

export interface OperatorLinkSettings {
  readonly id: LinkId;
  readonly adminState?: AdminState | null;
  readonly teMetric?: number | null;
  readonly delayUs?: number | null;
  readonly delayVariationUs?: number | null;
  readonly lossPpm?: number | null;
  readonly bandwidthBps?: number | null;
  readonly reservableBandwidthBps?: number | null;
  readonly affinities?: readonly string[] | null;
  readonly srlgs?: readonly number[] | null;
}

export function serializeTopology(ted: Ted, syntax: 'json' | 'yaml', operatorSettings?: OperatorSettings): string {
  return JSON.stringify({ syntax, operatorSettings, ted });
}
