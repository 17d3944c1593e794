import { spawnSync } from 'node:child_process';

/** A command of a document, with what the document says it prints; undefined: a set-up that prints nothing to compare. */
export interface ShellExample {
  readonly command: string;
  readonly expected: string | undefined;
  /** Of the document, counted from 1. */
  readonly line: number;
}

/**
 * The shell examples of a Markdown document, in order: every `sh` block whole, and of every block without a language
 * that begins with `$ ` each command with the lines that follow it, up to the next command.
 */
export function shellExamples(markdown: string): readonly ShellExample[] {
  const lines = markdown.split('\n');
  const examples: ShellExample[] = [];
  for (let i = 0; i < lines.length; i++) {
    const fence = /^```(\w*)$/.exec(lines[i] ?? '');
    if (fence === null) continue;
    const end = lines.indexOf('```', i + 1);
    if (end < 0) throw new Error(`the block of line ${String(i + 1)} has no end`);
    const block = lines.slice(i + 1, end);
    if (fence[1] === 'sh') examples.push({ command: block.join('\n'), expected: undefined, line: i + 2 });
    else if (fence[1] === '' && block[0]?.startsWith('$ ') === true) examples.push(...sessionExamples(block, i + 2));
    i = end;
  }
  return examples;
}

function sessionExamples(block: readonly string[], firstLine: number): readonly ShellExample[] {
  const examples: ShellExample[] = [];
  for (let i = 0; i < block.length;) {
    const line = firstLine + i;
    let command = (block[i++] ?? '').slice(2);
    while (i < block.length && !isComplete(command)) command += `\n${block[i++] ?? ''}`;
    const output: string[] = [];
    while (i < block.length && block[i]?.startsWith('$ ') === false) output.push(block[i++] ?? '');
    examples.push({ command, expected: output.join('\n'), line });
  }
  return examples;
}

/** Whether a shell would run this, rather than wait for more lines. */
function isComplete(command: string): boolean {
  return !command.endsWith('\\') && spawnSync('bash', ['-n'], { input: command }).status === 0;
}
