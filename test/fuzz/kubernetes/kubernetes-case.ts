import type { FuzzCase } from '../campaign.js';
import type { Kind } from './resources.js';

/** An object as somebody writes it into the cluster. */
export interface ObjectCase extends FuzzCase {
  readonly act: 'create' | 'update';
  readonly resource: Kind;
  /** The whole object, as JSON; of an update it takes the place of the object of this name. */
  readonly name: string;
  readonly body: string;
}

/** What the API server answers instead of the truth. */
export interface AnswerCase extends FuzzCase {
  readonly act: 'answer';
  readonly resource: Kind;
  /** Made of what it would have answered. */
  readonly answer: (truth: ListAnswer) => string;
  /** True: it may be believed to be a list of nothing. */
  readonly isEmptied?: boolean;
}

export interface ListAnswer {
  readonly kind: string;
  readonly metadata: { readonly resourceVersion: string };
  readonly items: readonly unknown[];
  readonly [member: string]: unknown;
}

/** What it sends into an open watch. */
export interface WatchCase extends FuzzCase {
  readonly act: 'watch';
  readonly resource: Kind;
  readonly lines: string;
  /** The connection is broken after it. */
  readonly isCut: boolean;
}

/** How it fails, of requests that read or write. */
export interface RefusalCase extends FuzzCase {
  readonly act: 'refusal';
  readonly resource: Kind;
  readonly verb: 'list' | 'watch' | 'patch' | 'events';
  readonly fault:
    | { readonly kind: 'status'; readonly code: number; readonly retryAfterSeconds?: number }
    | { readonly kind: 'nonsense'; readonly body: string }
    | { readonly kind: 'reset' | 'lost-answer' };
  readonly times: number;
}

export type KubernetesCase = ObjectCase | AnswerCase | WatchCase | RefusalCase;
