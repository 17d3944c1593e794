// `npm test [-- vitest arguments]`: installs, builds, checks types and style, runs the tests. Last line: counts.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { build, install, requireNode, root, say } from './prepare.mjs';

requireNode();
install({ dev: true });
build();

const selection = process.argv.slice(2);
const bin = (name) => join(root, 'node_modules', '.bin', name);
const results = mkdtempSync(join(tmpdir(), 'waymark-test-'));
const REASON_LINES = 12;
let passed = 0;
/** What failed, a line each: said once more at the end, where it is found. */
const failures = [];

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

for (const failure of failures) say(`FAILED: ${failure}`);
process.stdout.write(`${passed} passed, ${failures.length} failed\n`);
process.exitCode = failures.length === 0 ? 0 : 1;

function check(name, command, args) {
  say(`Checking ${name} ...`);
  if (execute(command, args) === 0) passed += 1;
  else failures.push(name);
}

function test(args) {
  const report = join(results, 'report.json');
  rmSync(report, { force: true });
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const status = execute(bin('vitest'), ['run', ...reporters, ...args]);
  const failuresBefore = failures.length;
  try {
    const { numPassedTests, numPendingTests, testResults } = JSON.parse(readFileSync(report, 'utf8'));
    passed += numPassedTests;
    for (const file of testResults) failures.push(...failuresOf(file));
    if (numPendingTests > 0) say(`${numPendingTests} tests were skipped; their names say what was missing.`);
  } catch (error) {
    failures.push(`the test runner left no report: ${error.message}`);
  }
  if (status !== 0 && failures.length === failuresBefore) failures.push('the test runner, outside of any test');
}

/** The failed tests of a file. One that could not even be loaded, or whose hooks failed, is itself the failure. */
function failuresOf({ name, status, message, assertionResults }) {
  const file = relative(root, name);
  const tests = assertionResults.filter((result) => result.status === 'failed');
  if (status === 'failed' && tests.length === 0) return [`${file}: ${message.split('\n', 1)[0] || 'a hook failed'}`];
  return tests.map(({ fullName, failureMessages }) => {
    const reason = (failureMessages[0] ?? '').split('\n').slice(0, REASON_LINES);
    return `${file}: ${fullName}: ${reason.join(' | ')}`;
  });
}

function execute(command, args) {
  return spawnSync(command, args, { cwd: root, stdio: 'inherit', shell: process.platform === 'win32' }).status ?? 1;
}
