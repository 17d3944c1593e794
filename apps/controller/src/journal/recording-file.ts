import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { StartFault } from '../model/start-fault.js';
import { lockRecording } from './recording-lock.js';

/** Of every recording. */
const FIRST_BYTES = '{"seq":1,';

/** Where the lines of a recording go. */
export type LineFile = Pick<RecordingFile, 'bytes' | 'append' | 'close'>;

/** The file of a recording: whole lines only, for its owner alone. */
export class RecordingFile {
  readonly #file: FileHandle;
  readonly #unlock: () => Promise<void>;
  #bytes: number;

  private constructor(file: FileHandle, unlock: () => Promise<void>, bytes: number) {
    this.#file = file;
    this.#unlock = unlock;
    this.#bytes = bytes;
  }

  /**
   * Creates the file, or goes on at its end. A half line there (the process was killed) is cut off.
   *
   * @throws StartFault when the file is something else, or somebody else records into it.
   */
  static async open(path: string): Promise<RecordingFile> {
    const unlock = await lockRecording(path);
    try {
      return await RecordingFile.#openLocked(path, unlock);
    } catch (error) {
      await unlock();
      throw error;
    }
  }

  static async #openLocked(path: string, unlock: () => Promise<void>): Promise<RecordingFile> {
    const file = await open(path, constants.O_RDWR | constants.O_CREAT, 0o600);
    try {
      const bytes = await endOfLastLine(file);
      const first = Buffer.alloc(FIRST_BYTES.length);
      await file.read(first, 0, first.length, 0);
      const { size } = await file.stat();
      if (size > 0 && !FIRST_BYTES.startsWith(first.subarray(0, size).toString())) {
        throw new StartFault(`${path} has something else in it than a recording: name another file`);
      }
      await file.chmod(0o600);
      await file.truncate(bytes);
      return new RecordingFile(file, unlock, bytes);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** One at a time. When it rejects, the next line takes the place of this one, of which a part may have been written. */
  async append(line: string): Promise<void> {
    const data = Buffer.from(`${line}\n`);
    for (let written = 0; written < data.length;) {
      const { bytesWritten } = await this.#file.write(data, written, data.length - written, this.#bytes + written);
      written += bytesWritten;
    }
    this.#bytes += data.length;
  }

  /** Everything is on the disk. */
  async close(): Promise<void> {
    try {
      await this.#file.truncate(this.#bytes);
      await this.#file.sync();
    } finally {
      await this.#file.close();
      await this.#unlock();
    }
  }
}

async function endOfLastLine(file: FileHandle): Promise<number> {
  const { size } = await file.stat();
  const chunk = Buffer.alloc(65_536);
  for (let end = size; end > 0;) {
    const start = Math.max(0, end - chunk.length);
    const { bytesRead } = await file.read(chunk, 0, end - start, start);
    const newline = chunk.subarray(0, bytesRead).lastIndexOf(0x0a);
    if (newline >= 0) return start + newline + 1;
    end = start;
  }
  return 0;
}
