import type { RequestInfo } from './request-info.js';

/** Which requests; what is left out matches all. */
export interface CallMatch {
  readonly verb?: string;
  readonly group?: string;
  /** The plural. */
  readonly resource?: string;
  readonly subresource?: string;
  readonly namespace?: string;
  readonly name?: string;
}

export function matches({ verb, target }: RequestInfo, match: CallMatch): boolean {
  const is = (asked: string | undefined, found: string | undefined): boolean => asked === undefined || asked === found;
  return (
    is(match.verb, verb) &&
    is(match.group, target?.group) &&
    is(match.resource, target?.resource) &&
    is(match.subresource, target?.subresource) &&
    is(match.namespace, target?.namespace) &&
    is(match.name, target?.name)
  );
}

/** How often the server was called. */
export class Calls {
  readonly #counts = new Map<string, number>();

  note({ verb, target, path }: RequestInfo): void {
    const sub = target?.subresource === undefined ? '' : `/${target.subresource}`;
    const what =
      target === undefined ? path : `${target.resource}${target.group === '' ? '' : `.${target.group}`}${sub}`;
    const key = `${verb} ${what}`;
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1);
  }

  /** Counts by verb and resource since the start or the last reset, as `patch policies.example.net/status`. */
  counts(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.#counts].sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  /** All calls; with a name, those of it: `watch nodes`. */
  count(name?: string): number {
    if (name !== undefined) return this.#counts.get(name) ?? 0;
    return [...this.#counts.values()].reduce((sum, count) => sum + count, 0);
  }

  reset(): void {
    this.#counts.clear();
  }
}
