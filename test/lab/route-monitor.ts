import { ManagedProcess } from './managed-process.js';
import type { Namespaces } from './namespaces.js';

/** Documentation prefixes (RFC 5737) in a table that nothing looks up. */
const FIRST_MARK = 'blackhole 192.0.2.1 table 4242';
const LAST_MARK = 'blackhole 192.0.2.2 table 4242';
const MARKED_MS = 60_000;
const RETRY_MS = 100;

/**
 * Every change to a route of one machine between start and stop. A route of our own marks the beginning and the end of
 * the record, so that an empty record means that nothing changed and not that nobody listened.
 */
export class RouteMonitor {
  readonly #namespaces: Namespaces;
  readonly #node: string;
  readonly #process: ManagedProcess;

  private constructor(namespaces: Namespaces, node: string) {
    this.#namespaces = namespaces;
    this.#node = node;
    this.#process = new ManagedProcess(`ip monitor of ${node}`, namespaces.spawn(node, ['ip', 'monitor', 'route']));
  }

  static async start(namespaces: Namespaces, node: string): Promise<RouteMonitor> {
    const monitor = new RouteMonitor(namespaces, node);
    const deadline = performance.now() + MARKED_MS;
    for (;;) {
      await monitor.#toggle(FIRST_MARK);
      try {
        await monitor.#process.printed(pattern(FIRST_MARK), RETRY_MS);
        return monitor;
      } catch (error) {
        if (performance.now() > deadline) throw error;
      }
    }
  }

  /** The changes, as `ip monitor` prints them. */
  async stop(): Promise<readonly string[]> {
    await this.#toggle(LAST_MARK);
    await this.#process.printed(pattern(LAST_MARK), MARKED_MS);
    await this.#process.stop();
    return this.#process.output.split('\n').filter((line) => line.trim() !== '' && !line.includes('table 4242'));
  }

  async #toggle(route: string): Promise<void> {
    await this.#namespaces.ip(this.#node, [`route add ${route}`, `route delete ${route}`]);
  }
}

function pattern(route: string): RegExp {
  return new RegExp(`Deleted ${route.replaceAll('.', '\\.')}`);
}
