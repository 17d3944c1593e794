export type * from './builtin/messages.js';
export { builtinDefinitions } from './builtin/typed.js';
export type { VppInput, VppRecord, VppValue } from './codec/value.js';
export { VppClient, type ClientOptions, type Disconnection } from './connection/vpp-client.js';
export { VppConnection, type CallOptions, type ConnectionOptions } from './connection/vpp-connection.js';
export type { ApiDefinitions } from './definition/api-definitions.js';
export { fetchDefinitions, loadDefinitions } from './definition/load.js';
export {
  VppDecodeError,
  VppDefinitionError,
  VppDisconnectedError,
  VppEncodeError,
  VppError,
  VppIncompatibleError,
  VppOverloadedError,
  VppProtocolError,
  VppRetvalError,
  VppTimeoutError,
} from './errors.js';
