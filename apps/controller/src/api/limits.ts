/** What the HTTP server takes on at most. docs/load.md lists all of it. */
export interface ApiLimits {
  /** TCP connections; one more is closed at once. */
  readonly connections: number;
  /** Of these from one address (of IPv6 the /64), so that one client cannot keep out everybody, probes too. */
  readonly connectionsPerAddress: number;
  /** Requests that are being answered, streams apart. */
  readonly requests: number;
  /** What their bodies may take together, by what they say of their length; a single one may take more. */
  readonly bodyBytes: number;
  /** Open streams of events, of all clients and of one. */
  readonly streams: number;
  readonly streamsPerClient: number;
  /** From the first byte of a request to the last of its headers, and of its body. */
  readonly headersMs: number;
  readonly requestMs: number;
  /** Who was told that his request is none, or has not come in time, and does not close the connection. */
  readonly lingerMs: number;
  /** How often Node looks for requests that are over these. */
  readonly lookingEveryMs: number;
  /** How long an operation may work; one that takes large bodies. */
  readonly workMs: number;
  readonly largeWorkMs: number;
  /** A client that reads nothing of its answer for so long is disconnected. */
  readonly stalledMs: number;
  /** What is under way when the controller ends may take so long. */
  readonly closingMs: number;
}

export const apiLimits: ApiLimits = {
  connections: 4_096,
  connectionsPerAddress: 2_048,
  requests: 512,
  bodyBytes: 512 * 1024 * 1024,
  streams: 1_000,
  streamsPerClient: 100,
  headersMs: 20_000,
  requestMs: 300_000,
  lingerMs: 2_000,
  lookingEveryMs: 5_000,
  workMs: 120_000,
  largeWorkMs: 600_000,
  stalledMs: 60_000,
  closingMs: 5_000,
};

/** Requests within a minute; 0: as many as they like. */
export interface RateLimits {
  /** Of one client. */
  readonly perClient: number;
  /** With credentials that are not believed, from one address. */
  readonly refused: number;
  /** Addresses or networks whose X-Forwarded-For is believed. */
  readonly trustedProxies: readonly string[];
}

export const noRateLimits: RateLimits = { perClient: 0, refused: 0, trustedProxies: [] };
