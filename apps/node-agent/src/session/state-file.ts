import { createHash } from 'node:crypto';
import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { equalBytes, ProtocolError, SnapshotChunk } from '@waymark/agent-protocol';
import { heldFromSnapshot, type HeldState } from './held-state.js';

const FILE_NAME = 'desired-state';
/** First bytes of the file: its kind and the version of its layout. */
const MAGIC = Buffer.from('WAYMARK\x01', 'latin1');
const CHECKSUM_BYTES = 32;

export type LoadedState =
  | { readonly kind: 'state'; readonly held: HeldState }
  | { readonly kind: 'none' }
  /** Unreadable; treated as no state at all. */
  | { readonly kind: 'corrupt'; readonly why: string };

/**
 * The accepted state on disk: magic ‖ SHA-256 of the rest ‖ a serialized SnapshotChunk. It is replaced as a whole, by
 * rename, so that after a crash at any moment the file is the old or the new one.
 */
export class StateFile {
  readonly #directory: string;
  readonly #nodeId: string;

  constructor(directory: string, nodeId: string) {
    this.#directory = directory;
    this.#nodeId = nodeId;
  }

  /** Rejects only when the file exists and cannot be read (permissions, I/O). */
  async load(): Promise<LoadedState> {
    let bytes: Buffer;
    try {
      bytes = await readFile(join(this.#directory, FILE_NAME));
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return { kind: 'none' };
      throw error;
    }
    try {
      return { kind: 'state', held: parse(bytes, this.#nodeId) };
    } catch (error) {
      return { kind: 'corrupt', why: error instanceof Error ? error.message : String(error) };
    }
  }

  /** Resolves when the state would survive a power failure. One call at a time. */
  async store(held: HeldState): Promise<void> {
    await mkdir(this.#directory, { recursive: true, mode: 0o700 });
    const temporary = join(this.#directory, `${FILE_NAME}.new`);
    const file = await open(temporary, 'w', 0o600);
    try {
      await file.writeFile(serialize(held));
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, join(this.#directory, FILE_NAME));
    const directory = await open(this.#directory, 'r');
    try {
      await directory.sync();
    } finally {
      await directory.close();
    }
  }
}

function serialize(held: HeldState): Buffer {
  const payload = SnapshotChunk.encode({
    instance: held.instance,
    epoch: held.epoch,
    generation: held.generation,
    stateHash: held.stateHash,
    policies: Array.from(held.policies, ([policyId, { generation, body }]) => ({
      policyId,
      generation,
      deleted: false,
      body,
    })),
    bsidBlock: held.bsidBlock,
    last: true,
    unchanged: false,
  }).finish();
  return Buffer.concat([MAGIC, createHash('sha256').update(payload).digest(), payload]);
}

function parse(bytes: Buffer, nodeId: string): HeldState {
  const payload = bytes.subarray(MAGIC.length + CHECKSUM_BYTES);
  if (!equalBytes(bytes.subarray(0, MAGIC.length), MAGIC)) throw new ProtocolError('malformed', 'it is no state file');
  const checksum = bytes.subarray(MAGIC.length, MAGIC.length + CHECKSUM_BYTES);
  if (!equalBytes(checksum, createHash('sha256').update(payload).digest())) {
    throw new ProtocolError('malformed', 'its checksum is wrong');
  }
  return heldFromSnapshot(SnapshotChunk.decode(payload), nodeId);
}
