import { neededExceptions } from '../needed-exceptions.js';
import type { Family } from '../port.js';
import { parseBatchErrors } from './batch.js';
import type { ClassPlace } from './class-places.js';
import { classTable, colorOfTable, MAIN_TABLE } from './class-tables.js';
import { FAMILY_FLAG, readRoutes, tableOf } from './kernel-tables.js';
import { THROW, type KernelRoute } from './route-json.js';
import type { LinuxSettings } from './settings.js';
import type { Shell } from './shell.js';

/** A prefix that is about to be steered in a class. */
export interface ComingPrefix extends ClassPlace {
  readonly prefix: string;
}

const FAMILIES: readonly Family[] = ['ipv4', 'ipv6'];

/** Whether a route of ours in the table of a class is one that sends packets on to the next rule. */
export function isException({ metric, fields }: KernelRoute, settings: LinuxSettings): boolean {
  return fields['type'] === THROW && metric === exceptionMetric(settings);
}

/** Not that of the routes of the class, so that one of these can take the place of an exception without a gap. */
function exceptionMetric({ metric }: LinuxSettings): number {
  return metric + 1;
}

/**
 * The table of a class is consulted before all others, so a prefix that is steered in it would hide more specific routes
 * of theirs: an address of the block that a local pod has borrowed, a node's own networks. Those get a `throw` in the
 * table of the class. Routes of ours get none, nor do those that ours go before: what the class steers goes before what
 * everybody is steered by.
 */
export class ClassExceptions {
  readonly #settings: LinuxSettings;
  readonly #shell: Shell;

  constructor(settings: LinuxSettings, shell: Shell) {
    this.#settings = settings;
    this.#shell = shell;
  }

  /**
   * Makes the exceptions what they should be for the prefixes that are steered in classes and those that soon will be.
   * Before these are, none is removed: it stays until the route that takes its place is there. Writes only what differs.
   * Returns what could not be written, a sentence each. Throws DataPlaneError when the tables cannot be read.
   */
  async lay(coming: readonly ComingPrefix[] = []): Promise<readonly string[]> {
    const problems = await Promise.all(FAMILIES.map((family) => this.#layFamily(family, coming)));
    return problems.flat();
  }

  async #layFamily(family: Family, coming: readonly ComingPrefix[]): Promise<readonly string[]> {
    const marked = await readRoutes(family, `table all proto ${this.#settings.protocol}`, this.#shell);
    const exceptions = new Map<number, Set<string>>();
    const steered = new Map<number, Set<string>>();
    const note = (places: Map<number, Set<string>>, table: number, prefix: string) =>
      places.set(table, (places.get(table) ?? new Set()).add(prefix));
    const everybodys = new Set<string>();
    for (const route of marked) {
      const table = tableOf(route);
      if (table === this.#settings.table && route.metric === this.#settings.metric) everybodys.add(route.prefix);
      if (colorOfTable(table, this.#settings) === null) continue;
      note(isException(route, this.#settings) ? exceptions : steered, table, route.prefix);
    }
    for (const { color, prefix } of coming.filter((one) => one.family === family)) {
      note(steered, classTable(color, this.#settings), prefix);
    }
    if (exceptions.size + steered.size === 0) return [];
    const routes = steered.size === 0 ? [] : await this.#foreignRoutes(family);
    const mark = (table: number) =>
      `table ${table} metric ${exceptionMetric(this.#settings)} proto ${this.#settings.protocol}`;
    const lines = [...new Set([...exceptions.keys(), ...steered.keys()])].flatMap((table) => {
      const needed = neededExceptions([...(steered.get(table) ?? [])], routes, everybodys);
      const found = exceptions.get(table) ?? new Set();
      const obsolete = coming.length > 0 ? [] : [...found].filter((prefix) => !needed.has(prefix));
      return [
        ...[...needed].filter((prefix) => !found.has(prefix)).map((prefix) => `add throw ${prefix} ${mark(table)}`),
        ...obsolete.map((prefix) => `del throw ${prefix} ${mark(table)}`),
      ];
    });
    return this.#write(family, lines);
  }

  async #foreignRoutes(family: Family): Promise<readonly string[]> {
    const { table, protocol } = this.#settings;
    const tables = [...new Set([MAIN_TABLE, table])];
    const found = await Promise.all(tables.map((one) => readRoutes(family, `table ${one}`, this.#shell)));
    return found.flat().flatMap((route) => (route.protocol === protocol ? [] : [route.prefix]));
  }

  async #write(family: Family, lines: readonly string[]): Promise<readonly string[]> {
    if (lines.length === 0) return [];
    const text = lines.map((line) => `route ${line}\n`).join('');
    const { code, stderr } = await this.#shell.run('ip', [FAMILY_FLAG[family], '-force', '-batch', '-'], text);
    const { failures, aborted } = parseBatchErrors(stderr, code);
    return lines.flatMap((line, index) => {
      const reason = failures.get(index) ?? aborted;
      // Two at once, or a device that took its routes along: it is as it should be.
      if (reason === null || /File exists|No such process/.test(reason)) return [];
      return [`a service class may hide a route of this node: ip route ${line}: ${reason}`];
    });
  }
}
