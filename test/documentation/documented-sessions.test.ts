import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { root, startSystem, type StartedSystem } from '../started-system.js';
import { missingNeeds } from '../require-program.js';
import { Shell } from './shell.js';
import { shellExamples, type ShellExample } from './shell-examples.js';

/*
 * What the documents show at a terminal is what happens: their commands run in order on a system that was really
 * started, and print what the document says they print.
 */
const documents = [
  { name: 'README.md', setUpBy: undefined },
  { name: 'docs/api.md', setUpBy: undefined },
  // says that it uses the functions of the tour
  { name: 'docs/path-computation.md', setUpBy: 'README.md' },
];
const documentedUrl = 'http://127.0.0.1:8080';
const missing = missingNeeds({ programs: ['bash', 'curl'] });

describe.skipIf(missing !== undefined)(`the terminal sessions ${missing ?? ''}`, () => {
  describe.each(documents)('of $name', ({ name, setUpBy }) => {
    const examples = examplesOf(name);
    const setUp = setUpBy === undefined ? [] : examplesOf(setUpBy).filter(({ expected }) => expected === undefined);
    let system: StartedSystem;
    let shell: Shell;

    beforeAll(async () => {
      system = await startSystem();
      shell = new Shell(root);
      for (const { command } of setUp) await shell.run(at(command));
    }, 180_000);

    afterAll(async () => {
      shell.stop();
      await system.stop();
    });

    it('are there', () => {
      expect(examples.filter(({ expected }) => expected !== undefined && expected !== '').length).toBeGreaterThan(5);
    });

    it.each(examples.map((example) => ({ ...example, title: titleOf(example) })))(
      'line $line: $title',
      async ({ command, expected }) => {
        // a reader types more slowly than the controller computes
        await system.settled();
        const run = async () => comparable((await shell.run(at(command))).replaceAll(system.url, documentedUrl));
        const wanted = comparable(expected ?? '');
        let printed = await run();
        // who waits a while and then looks may find a busy machine behind its time, and looks again
        const looks = command.startsWith('sleep ') ? 5 : 1;
        for (let look = 1; look < looks && printed !== wanted; look++) printed = await run();
        expect(printed).toBe(wanted);
      },
      90_000,
    );

    function at(command: string): string {
      return command.replaceAll(documentedUrl, system.url);
    }
  });
});

function examplesOf(document: string): readonly ShellExample[] {
  return shellExamples(readFileSync(join(root, document), 'utf8'));
}

/** Revisions count everything that happened since the database was made, which a document cannot know. */
function comparable(output: string): string {
  return output.replaceAll(/"revision":\d+/g, '"revision":N').replaceAll(/\brevision \d+/g, 'revision N');
}

function titleOf({ command }: ShellExample): string {
  const [first = ''] = command.split('\n');
  return first.length > 70 ? `${first.slice(0, 70)}…` : first;
}
