import type { Journal } from '../model/journal.js';
import type { CallInput } from '../model/recording.js';

/** The service with each call of these methods as an entry of the journal, unless it is part of one already. */
export function recordCalls<Service extends object>(
  journal: Journal,
  name: string,
  service: Service,
  methods: readonly (keyof Service & string)[],
): Service {
  const recorded: ReadonlySet<string | symbol> = new Set(methods);
  return new Proxy(service, {
    get(target, property) {
      const value: unknown = Reflect.get(target, property, target);
      if (typeof value !== 'function') return value;
      const call = (...args: unknown[]): unknown => Reflect.apply(value, target, args);
      if (!recorded.has(property)) return call;
      return (...args: unknown[]) => {
        const input: CallInput = { service: name, method: String(property), arguments: args };
        return journal.take({ kind: 'call', input, outputOf: (result) => result ?? null }, () =>
          Promise.resolve().then(() => call(...args)),
        );
      };
    },
  });
}
