export type ControllerState = 'leads' | 'follows' | 'silent';

/** A controller of this installation, as it last told of itself. */
export interface ControllerView {
  /** UUID of the process: names may be given twice. */
  readonly id: string;
  readonly name: string;
  /** It is the one that answers. */
  readonly self: boolean;
  readonly state: ControllerState;
  readonly version: string;
  readonly startedAt: string;
  readonly lastSeen: string;
  /** The newest revision that its view of the topology shows. */
  readonly revision: number;
  /** Age of the oldest revision that the view did not show when it told; 0: it showed all. */
  readonly behindMs: number;
}

export interface ControllersView {
  /** The newest epoch of leadership. */
  readonly epoch: number;
  /** null: nobody leads at present. */
  readonly leader: { readonly id: string; readonly name: string; readonly since: string } | null;
  /** By name, then id. */
  readonly items: readonly ControllerView[];
}
