import { toJson } from '../journal/bytes-as-json.js';
import type { RecordingLine } from '../model/recording.js';
import type { ReplayResult } from './replay-recording.js';

const MAX_SHOWN = 2_000;

/** The result of a replay in words; the first difference with what was recorded and what came. */
export function printedResult(name: string, lines: readonly RecordingLine[], result: ReplayResult): string {
  const { compared, skipped, differing, first } = result;
  const others = skipped === 0 ? '' : `, ${skipped} that say nothing`;
  const counts = `${name}: ${lines.length} lines, ${compared} compared${others}, ${differing} different\n`;
  if (first === undefined) return counts;
  const line = lines[first.line - 1];
  const what = line === undefined ? '' : ` (${describe(line)})`;
  return [
    counts,
    `first difference: line ${first.line}${what} at ${first.path === '' ? '/' : first.path}\n`,
    `  recorded: ${shown(first.recorded)}\n`,
    `  came:     ${shown(first.came)}\n`,
  ].join('');
}

function describe(line: RecordingLine): string {
  const input = 'input' in line ? (line.input as { readonly operation?: string; readonly method?: string }) : {};
  return [line.kind, input.operation ?? input.method].filter(Boolean).join(' ');
}

function shown(value: unknown): string {
  if (value === undefined) return 'nothing';
  const text = toJson(value);
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text;
}
