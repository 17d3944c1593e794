import { canonicalAddress } from '../address.js';
import { DataPlaneError } from '../port.js';
import { layProbeRules, removeProbeRules } from './probe-rules.js';
import type { LinuxSettings } from './settings.js';
import type { Shell } from './shell.js';
import { sysctlRules, type SysctlRule } from './sysctls.js';

/** What our routes stand on: a device that stays up, the encapsulation source, sysctls. */
export class Foundation {
  readonly #settings: LinuxSettings;
  readonly #shell: Shell;

  constructor(settings: LinuxSettings, shell: Shell) {
    this.#settings = settings;
    this.#shell = shell;
  }

  /** Writes only what is missing. Throws DataPlaneError naming what is wrong and what to do. */
  async lay(): Promise<void> {
    await this.#laySysctls();
    await this.#layDevice();
    await this.#layEncapSource();
    await layProbeRules(this.#settings, this.#shell);
  }

  async remove(): Promise<void> {
    const { device } = this.#settings;
    await removeProbeRules(this.#settings, this.#shell);
    const found = await this.#link();
    // A device of another kind was there before us.
    if (found?.kind === 'ifb') await this.#ip(['link', 'delete', 'dev', device]);
  }

  async #layDevice(): Promise<void> {
    const { device } = this.#settings;
    const found = await this.#link();
    if (found === null) await this.#ip(['link', 'add', 'name', device, 'type', 'ifb']);
    if (found?.up !== true) await this.#ip(['link', 'set', 'dev', device, 'up']);
  }

  async #link(): Promise<{ readonly up: boolean; readonly kind: string } | null> {
    const { code, stdout } = await this.#shell.run('ip', ['-j', '-d', 'link', 'show', 'dev', this.#settings.device]);
    if (code !== 0) return null;
    const up = /"flags":\[[^\]]*"UP"/.test(stdout);
    return { up, kind: /"info_kind":"([^"]*)"/.exec(stdout)?.[1] ?? '' };
  }

  async #layEncapSource(): Promise<void> {
    const { encapSource } = this.#settings;
    if (encapSource === null) return;
    const { stdout } = await this.#shell.run('ip', ['sr', 'tunsrc', 'show']);
    const found = /^tunsrc addr (\S+)/.exec(stdout)?.[1];
    if (found !== undefined && canonicalAddress(found) === canonicalAddress(encapSource)) return;
    await this.#ip(['sr', 'tunsrc', 'set', encapSource]);
  }

  async #laySysctls(): Promise<void> {
    const rules = sysctlRules(this.#settings);
    const found = await this.#readSysctls(rules);
    const wrong = rules.filter(({ path, accepts }) => !accepts.includes(found.get(path) ?? ''));
    if (!this.#settings.manageSysctls) {
      const [first] = wrong;
      if (first === undefined) return;
      const commands = wrong.map(({ name, value }) => `${name}=${value}`).join(' ');
      throw new DataPlaneError(
        `sysctl ${first.name} is ${found.get(first.path) ?? 'missing'}, needed so that ${first.why}; run: sysctl -w ${commands}`,
      );
    }
    for (const { name, path, value } of wrong) {
      const { code, stderr } = await this.#shell.run('tee', [path], value);
      if (code !== 0) throw new DataPlaneError(`sysctl ${name} cannot be set to ${value}: ${stderr.trim()}`);
    }
  }

  async #readSysctls(rules: readonly SysctlRule[]): Promise<ReadonlyMap<string, string>> {
    const { stdout } = await this.#shell.run('grep', ['-sH', '', ...rules.map(({ path }) => path)]);
    const pairs = stdout
      .trim()
      .split('\n')
      .map((line): [string, string] => {
        const colon = line.lastIndexOf(':');
        return [line.slice(0, colon), line.slice(colon + 1).trim()];
      });
    return new Map(pairs);
  }

  async #ip(args: readonly string[]): Promise<void> {
    const { code, stderr } = await this.#shell.run('ip', args);
    if (code !== 0) throw new DataPlaneError(`ip ${args.join(' ')} failed: ${stderr.trim()}`);
  }
}
