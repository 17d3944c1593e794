import type { VppInput, VppRecord } from '../codec/value.js';
import { ApiDefinitions } from '../definition/api-definitions.js';
import { readApiFile } from '../definition/api-file.js';
import { builtinApi } from './definitions.js';
import type { BuiltinCalls, BuiltinDumps, BuiltinEvents } from './messages.js';

/** Types of the built-in messages by their names; anything goes for others, whose definitions are read at run time. */
export type CallRequest<N extends string> = N extends keyof BuiltinCalls ? BuiltinCalls[N]['request'] : VppInput;
export type CallReply<N extends string> = N extends keyof BuiltinCalls ? BuiltinCalls[N]['reply'] : VppRecord;
export type DumpRequest<N extends string> = N extends keyof BuiltinDumps ? BuiltinDumps[N]['request'] : VppInput;
export type DumpDetails<N extends string> = N extends keyof BuiltinDumps ? BuiltinDumps[N]['details'] : VppRecord;
export type EventOf<N extends string> = N extends keyof BuiltinEvents ? BuiltinEvents[N] : VppRecord;

/** What this package knows by itself: SR, the tables and interfaces it needs, and the transport's own messages. */
export const builtinFile = readApiFile(builtinApi, 'built-in definitions');
export const builtinDefinitions = new ApiDefinitions([builtinFile]);
