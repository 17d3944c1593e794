import type { RequestInfo, Target } from './request-info.js';

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

interface Count {
  readonly verb: string;
  readonly target: Target | undefined;
  count: number;
}

/** How often the server was called. */
export class Calls {
  readonly #counts = new Map<string, Count>();

  note({ verb, target, path }: RequestInfo): void {
    const sub = target?.subresource === undefined ? '' : `/${target.subresource}`;
    const group = target === undefined || target.group === '' ? '' : `.${target.group}`;
    const key = `${verb} ${target === undefined ? path : `${target.resource}${group}${sub}`}`;
    const found = this.#counts.get(key);
    if (found === undefined) this.#counts.set(key, { verb, target, count: 1 });
    else found.count += 1;
  }

  /** Counts by verb and resource since the start or the last reset, as `patch policies.example.net/status`. */
  counts(): Readonly<Record<string, number>> {
    const counts = [...this.#counts].map(([key, { count }]): [string, number] => [key, count]);
    return Object.fromEntries(counts.sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  /** All calls; with a name, those of it: `watch nodes`. */
  count(name?: string): number {
    if (name !== undefined) return this.#counts.get(name)?.count ?? 0;
    return [...this.#counts.values()].reduce((sum, { count }) => sum + count, 0);
  }

  reset(): void {
    this.#counts.clear();
  }

  /** The calls for resources as /metrics of a real server tells them, in the text format of Prometheus. */
  metrics(): string {
    const lines = [...this.#counts.values()].flatMap(({ verb, target, count }) => {
      if (target === undefined) return [];
      const { group, version, resource, subresource = '' } = target;
      const labels = { verb: verb.toUpperCase(), group, version, resource, subresource };
      const told = Object.entries(labels).map(([label, value]) => `${label}=${JSON.stringify(value)}`);
      return [`apiserver_request_total{${told.join(',')}} ${count}`];
    });
    return ['# TYPE apiserver_request_total counter', ...lines, ''].join('\n');
  }
}
