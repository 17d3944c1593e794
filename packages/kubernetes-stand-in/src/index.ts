export { ApiServer, startApiServer } from './api-server.js';
export type { ApiServerOptions, NewObject } from './api-server.js';
export { calicoDefinitions } from './calico-definitions.js';
export type { Calls, CallMatch } from './http/calls.js';
export type { Fault, Faults } from './http/faults.js';
export type { Grant, PolicyRule } from './http/users.js';
export { ApiError } from './model/api-error.js';
export type { KubeObject, ObjectBody, ObjectMeta } from './model/kube-object.js';
