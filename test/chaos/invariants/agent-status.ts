/** The part of an agent's own status that is held against the database. */
export interface AgentStatus {
  readonly session: {
    readonly connected: boolean;
    readonly epoch: number;
    readonly generation: number;
    readonly stateHash: string;
  };
  readonly health: { readonly error: string | null };
  readonly failed: readonly { readonly policyId: string; readonly reason: string }[];
}

/** Rejects when the agent does not answer. */
export async function readStatus(url: string): Promise<AgentStatus> {
  const response = await fetch(url, { signal: AbortSignal.timeout(5_000) });
  return (await response.json()) as AgentStatus;
}
