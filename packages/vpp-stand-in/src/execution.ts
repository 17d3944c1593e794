import type { Client } from './clients.js';
import type { Fields, Reply } from './messages/handler.js';
import type { CrashReason } from './machine/crash.js';
import type { Outcome } from './request-log.js';

/** What VPP made of one message, before anything is sent. */
export type Execution =
  | { readonly kind: 'refused'; readonly outcome: Outcome; readonly fields?: Fields }
  | { readonly kind: 'died'; readonly reason: CrashReason; readonly fields: Fields }
  | {
      readonly kind: 'executed';
      /** Who gets the replies; undefined when client_index names nobody. */
      readonly target: Client | undefined;
      readonly replies: readonly Reply[];
      readonly fields: Fields;
      readonly retval: number | undefined;
      /** True when VPP closes the connection behind its reply. */
      readonly closes?: boolean;
    };
