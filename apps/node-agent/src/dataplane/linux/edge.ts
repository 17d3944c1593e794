import { DataPlaneError, type EdgeDrops } from '../port.js';
import { EDGE_REASONS, EDGE_TABLE, edgeCounts, edgeScript, isEdge, type EdgeRules } from './edge-table.js';
import type { LinuxSettings } from './settings.js';
import type { CommandResult, Shell } from './shell.js';

/**
 * The edge of the SR domain (RFC 8754 §5.1, RFC 8402 §8): what comes from pods, or anything else that is not the
 * underlay, reaches no SID and brings no segment routing header. One nftables table is ours; no other is touched.
 */
export class Edge {
  readonly #settings: LinuxSettings;
  readonly #shell: Shell;
  readonly #rules: EdgeRules;
  /** Whether a table that an earlier configuration asked for was looked for. */
  #cleared = false;

  constructor(settings: LinuxSettings, shell: Shell) {
    this.#settings = settings;
    this.#shell = shell;
    const { device, underlayInterfaces, edgeBlocks } = settings;
    this.#rules = { blocks: edgeBlocks, trusted: ['lo', device, ...underlayInterfaces] };
  }

  /** Writes only when the table is not as it should be. Throws DataPlaneError naming what is wrong and what to do. */
  async lay(): Promise<void> {
    if (!this.#wanted) {
      if (!this.#cleared) await this.remove();
      this.#cleared = true;
      return;
    }
    const found = await this.#list();
    if (found !== null && isEdge(found, this.#rules)) return;
    await this.#requireUnderlay();
    const script = edgeScript(this.#rules, found === null ? new Map() : edgeCounts(found));
    // As an argument: nft reads no file from the socket that a child's standard input is.
    await this.#must(['-j', script]);
    const written = await this.#list();
    if (written === null || !isEdge(written, this.#rules)) {
      throw new DataPlaneError(
        `read back, ${EDGE_TABLE.join(' ')} is not what was written; does something else change it?`,
      );
    }
  }

  async remove(): Promise<void> {
    if ((await this.#list()) !== null) await this.#must(['delete', ...EDGE_TABLE]);
  }

  /** What was dropped so far; nothing without an edge. */
  async drops(): Promise<readonly EdgeDrops[]> {
    if (!this.#wanted) return [];
    const found = await this.#list();
    const counts = found === null ? new Map<string, never>() : edgeCounts(found);
    return EDGE_REASONS.map((reason) => ({ reason, ...(counts.get(reason) ?? { packets: 0, bytes: 0 }) }));
  }

  get #wanted(): boolean {
    return this.#rules.blocks.length > 0;
  }

  /** Rules that trust only interfaces that do not exist would cut the node off from the SR domain. */
  async #requireUnderlay(): Promise<void> {
    const { underlayInterfaces } = this.#settings;
    const { stdout } = await this.#shell.run('ip', ['-j', 'link', 'show']);
    if (underlayInterfaces.some((name) => stdout.includes(`"ifname":${JSON.stringify(name)}`))) return;
    throw new DataPlaneError(
      underlayInterfaces.length === 0
        ? 'the edge of the SR domain needs to know the interfaces towards it: set WAYMARK_LINUX_UNDERLAY'
        : `no interface of WAYMARK_LINUX_UNDERLAY exists (${underlayInterfaces.join(', ')}), so the edge would cut this node off`,
    );
  }

  /** null: there is no such table; also, while no edge is asked for, when nft does not work. */
  async #list(): Promise<string | null> {
    const result = await this.#nft(['-n', '-j', 'list', ...EDGE_TABLE]);
    if (result.code === 0) return result.stdout;
    if (!this.#wanted || result.stderr.startsWith('Error: No such file or directory')) return null;
    throw faultOf(result);
  }

  async #must(args: readonly string[]): Promise<void> {
    const result = await this.#nft(args);
    if (result.code !== 0) throw faultOf(result);
  }

  async #nft(args: readonly string[]): Promise<CommandResult> {
    try {
      return await this.#shell.run('nft', args);
    } catch (error) {
      if (!(error instanceof DataPlaneError)) throw error;
      return { code: null, stdout: '', stderr: error.message };
    }
  }
}

/** The second form is what `ip netns exec` says. */
const NOT_RUN = /^nft cannot be run|^exec of "nft" failed/;

function faultOf({ stderr }: CommandResult): DataPlaneError {
  const said = stderr.trim();
  return new DataPlaneError(
    NOT_RUN.test(said)
      ? `WAYMARK_EDGE_BLOCKS needs nft: install nftables, or leave the variable unset for no edge (${said})`
      : `nft failed for the edge of the SR domain: ${said}`,
  );
}
