import { readFile } from 'node:fs/promises';
import { fromJson } from '../journal/bytes-as-json.js';
import { RECORDING_FORMAT, type RecordingLine } from '../model/recording.js';

/** A recording cannot be replayed, or not any further; the message says why. */
export class ReplayFault extends Error {
  override readonly name = 'ReplayFault';
}

/** The lines of a recording. A last line without its end is left out: the process was killed while it wrote. */
export async function readRecording(path: string): Promise<readonly RecordingLine[]> {
  const lines = (await readFile(path, 'utf8')).split('\n').slice(0, -1);
  const read = lines.map((line, index) => {
    try {
      return fromJson(line) as RecordingLine;
    } catch (error) {
      throw new ReplayFault(`line ${index + 1} of ${path} is not JSON: ${String(error)}`, { cause: error });
    }
  });
  const [first] = read;
  if (first?.kind !== 'begin')
    throw new ReplayFault(`${path} is not a recording: it does not begin with a line of kind "begin"`);
  if (first.format !== RECORDING_FORMAT) {
    throw new ReplayFault(`${path} is of format ${first.format}, and this version replays format ${RECORDING_FORMAT}`);
  }
  return read;
}
