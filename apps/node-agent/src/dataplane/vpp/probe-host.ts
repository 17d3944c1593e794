import { parseRoutes } from '../linux/route-json.js';
import { layProbeRules, removeProbeRules } from '../linux/probe-rules.js';
import type { Shell } from '../linux/shell.js';
import { DataPlaneError } from '../port.js';
import type { ProbeSettings } from './settings.js';

/**
 * The host's side of probes: what this host sends to the probe prefix goes into VPP, and what comes out of VPP for the prefix
 * is this host's own. The rules are those of the Linux data plane; in place of a route for each list there is one to VPP.
 */
export class ProbeHost {
  readonly #settings: ProbeSettings;
  readonly #shell: Shell;

  constructor(settings: ProbeSettings, shell: Shell) {
    this.#settings = settings;
    this.#shell = shell;
  }

  /** Writes only what is missing. Throws DataPlaneError. */
  async lay(): Promise<void> {
    const { rules, prefix, gateway } = this.#settings;
    const found = await this.#routes();
    const isRight = found.some((route) => route.prefix === prefix && route.fields['gateway'] === gateway);
    if (!isRight) await this.#ip(`route replace ${prefix} via ${gateway} ${this.#mark}`);
    await layProbeRules(rules, this.#shell);
  }

  async remove(): Promise<void> {
    await removeProbeRules(this.#settings.rules, this.#shell);
    for (const { prefix } of await this.#routes()) await this.#ip(`route del ${prefix} ${this.#mark}`);
  }

  get #mark(): string {
    const { probeTable, protocol, metric } = this.#settings.rules;
    return `table ${probeTable} proto ${protocol} metric ${metric}`;
  }

  async #routes() {
    const { probeTable, protocol } = this.#settings.rules;
    const selection = ['table', String(probeTable), 'proto', String(protocol)];
    const { code, stdout, stderr } = await this.#shell.run('ip', [
      '-6',
      '-N',
      '-j',
      '-d',
      'route',
      'show',
      ...selection,
    ]);
    // A table comes into being with its first route.
    if (stderr.includes('FIB table does not exist')) return [];
    if (code !== 0) throw new DataPlaneError(`table ${probeTable} of the host cannot be read: ${stderr.trim()}`);
    return parseRoutes(stdout, 'ipv6');
  }

  async #ip(command: string): Promise<void> {
    const { code, stderr } = await this.#shell.run('ip', ['-6', ...command.split(' ')]);
    if (code !== 0) throw new DataPlaneError(`ip -6 ${command} failed: ${stderr.trim()}`);
  }
}
