import { classifyHandlers } from './classify.js';
import { controlHandlers } from './control.js';
import type { Handlers } from './handler.js';
import { interfaceHandlers } from './interface.js';
import { ipRouteHandlers } from './ip-route.js';
import { ipTableHandlers } from './ip-table.js';
import { srDumpHandlers } from './sr-dumps.js';
import { srLocalsidHandlers } from './sr-localsid.js';
import { srPolicyHandlers } from './sr-policy.js';
import { srSteeringHandlers } from './sr-steering.js';

/** Every request that is answered, but for the two of the handshake. */
export const HANDLERS: Handlers = {
  ...controlHandlers,
  ...interfaceHandlers,
  ...classifyHandlers,
  ...ipTableHandlers,
  ...ipRouteHandlers,
  ...srPolicyHandlers,
  ...srSteeringHandlers,
  ...srLocalsidHandlers,
  ...srDumpHandlers,
};
