// `npm test [-- vitest arguments]`: installs, builds, checks types and style, runs the tests. Last line: counts.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build, install, requireNode, root, say } from './prepare.mjs';

requireNode();
install({ dev: true });
build();

const selection = process.argv.slice(2);
const bin = (name) => join(root, 'node_modules', '.bin', name);
const results = mkdtempSync(join(tmpdir(), 'waymark-test-'));
let passed = 0;
let failed = 0;

// A run of selected tests is someone at work on them; only a whole run speaks for the repository.
if (selection.length === 0) {
  check('types of the tests', bin('tsc'), ['-p', 'tsconfig.test.json']);
  check('eslint', bin('eslint'), ['.']);
  check('formatting', bin('prettier'), ['--check', '--log-level=warn', '.']);
}

// The packet lab's routers take silence for failure: they must not share the machine with everything else.
const runs = selection.length > 0 ? [selection] : [['--exclude', 'test/lab/**'], ['test/lab']];
for (const run of runs) test(run);
rmSync(results, { recursive: true, force: true });

process.stdout.write(`${passed} passed, ${failed} failed\n`);
process.exitCode = failed === 0 ? 0 : 1;

function check(name, command, args) {
  say(`Checking ${name} ...`);
  if (execute(command, args) === 0) passed += 1;
  else {
    say(`FAILED: ${name}`);
    failed += 1;
  }
}

function test(args) {
  const report = join(results, 'report.json');
  rmSync(report, { force: true });
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const status = execute(bin('vitest'), ['run', ...reporters, ...args]);
  const failedBefore = failed;
  try {
    const { numPassedTests, numFailedTests, numPendingTests, testResults } = JSON.parse(readFileSync(report, 'utf8'));
    passed += numPassedTests;
    // A file that could not even be loaded counts as one failure; it has no tests to count.
    failed +=
      numFailedTests +
      testResults.filter((file) => file.status === 'failed' && file.assertionResults.length === 0).length;
    if (numPendingTests > 0) say(`${numPendingTests} tests were skipped; their names say what was missing.`);
  } catch (error) {
    say(`The test runner left no report: ${error.message}`);
    failed += 1;
  }
  if (status !== 0 && failed === failedBefore) failed += 1;
}

function execute(command, args) {
  return spawnSync(command, args, { cwd: root, stdio: 'inherit', shell: process.platform === 'win32' }).status ?? 1;
}
