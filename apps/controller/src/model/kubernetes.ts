/** What belongs to an object of a cluster: ids of policies and meshes, and directed links. */
export interface Possessions {
  readonly policies: readonly string[];
  readonly meshes: readonly string[];
  readonly links: readonly string[];
}

/** A Kubernetes cluster that is a source of hosts, as this controller sees it. */
export interface ClusterHostsView {
  readonly name: string;
  /** Base URL of its API server. */
  readonly server: string;
  /** Everything was listed at least once. */
  readonly synced: boolean;
  /** Why what is known may be out of date; null: nothing is wrong. */
  readonly trouble: string | null;
  /** Why its last statement is not believed; null: it is, or another controller leads. */
  readonly held: string | null;
  /** Number of its nodes. */
  readonly nodes: number;
  /** Names of nodes that are not ready. Their hosts stay: their data plane may well forward. */
  readonly notReady: readonly string[];
  /** Objects that cannot be used, wholly or in part. */
  readonly problems: readonly ClusterProblem[];
}

export interface ClusterProblem {
  /** Kind and name. */
  readonly object: string;
  readonly message: string;
}
