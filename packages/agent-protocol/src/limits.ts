/** A signed delta longer than this is published as a hint only. */
export const HINT_ABOVE_BYTES = 64 * 1024;

/** Longest interval between two heartbeats; a digest answers each. */
export const HEARTBEAT_INTERVAL_MS = 2_000;

/** An agent that misses this many heartbeats in a row is `unknown`. */
export const MISSED_HEARTBEATS = 3;

/** Policies of a snapshot are cut into chunks of about this size; far below the 4 MB at which gRPC refuses a message. */
export const SNAPSHOT_CHUNK_BYTES = 512 * 1024;

/** Largest gRPC message that either side takes. */
export const MAX_MESSAGE_BYTES = 4 * 1024 * 1024;

/** Largest serialized DesiredPolicy, so that a policy always fits a snapshot chunk and an ack. */
export const MAX_BODY_BYTES = 256 * 1024;
