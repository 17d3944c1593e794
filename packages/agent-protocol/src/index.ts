export * from './generated/waymark/agent/v1/agent.js';
export { nodeChannel } from './channel.js';
export { checkBlock, checkPolicyChange, openDelta, sealDelta } from './delta.js';
export { decodeDesiredPolicy, encodeDesiredPolicy } from './desired-policy.js';
export { FEATURES, knownFeatures, understoodEntry, type Feature, type UnderstoodEntry } from './features.js';
export { classIdOf, isClassId, isNodeId, isPolicyId } from './identifiers.js';
export {
  HEARTBEAT_INTERVAL_MS,
  HINT_ABOVE_BYTES,
  MAX_BODY_BYTES,
  MAX_MESSAGE_BYTES,
  MISSED_HEARTBEATS,
  SNAPSHOT_CHUNK_BYTES,
} from './limits.js';
export { ProtocolError, type ProtocolErrorCode } from './protocol-error.js';
export { decodeServiceClass, encodeServiceClass } from './service-class.js';
export { generateSigningKey, Signer, Verifier, type SigningKey } from './signing.js';
export {
  emptyStateHash,
  equalBytes,
  policyHash,
  STATE_HASH_BYTES,
  stateHashOf,
  toggledStateHash,
  type HashedPolicy,
} from './state-hash.js';
export { BusClosedError, type Bus, type BusListener, type Subscription } from './bus/bus.js';
export { MemoryBus } from './bus/memory-bus.js';
export { RedisBus } from './bus/redis-bus.js';
export { logTlsFiles } from './tls/log-tls-files.js';
export { nodeInCertificate } from './tls/node-certificate.js';
export { TlsFileError, TlsFiles, type TlsFilesListener, type TlsMaterial, type TlsPaths } from './tls/tls-files.js';
export {
  grpcTlsPaths,
  redisTlsPaths,
  requireUrl,
  transportProperties,
  type TransportEnvironment,
} from './tls/transport-settings.js';
export {
  commonVersion,
  describeVersions,
  NEWEST_VERSION,
  OLDEST_VERSION,
  versionsOf,
  type VersionRange,
} from './versions.js';
