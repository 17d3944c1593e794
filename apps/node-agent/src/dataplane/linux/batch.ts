/**
 * What `ip -force -batch -` said about its lines. Each failing line leaves its messages and then `Command failed -:N`
 * (N counts from 1). Some mistakes make iproute2 end on the spot, without that: then nothing is known of the lines
 * after the last one it named.
 */
export interface BatchOutcome {
  /** Message by index of the line. */
  readonly failures: ReadonlyMap<number, string>;
  /** What iproute2 ended with before it had read everything, or null. */
  readonly aborted: string | null;
}

export function parseBatchErrors(stderr: string, code: number | null): BatchOutcome {
  const failures = new Map<number, string>();
  let messages: string[] = [];
  for (const line of stderr.split('\n').filter((text) => text.trim() !== '')) {
    const failed = /^Command failed -:(\d+)/.exec(line);
    if (failed === null) {
      messages.push(line.trim().replace(/^RTNETLINK answers: |^Error: /, ''));
      continue;
    }
    failures.set(Number(failed[1]) - 1, messages.join('; '));
    messages = [];
  }
  const ended = code !== 0 && messages.length > 0;
  return { failures, aborted: ended ? messages.join('; ') : null };
}
