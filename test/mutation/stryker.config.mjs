import { fileURLToPath } from 'node:url';

const room = `packages/topology/src/${process.env.MUTATED_ROOM}`;

/** @type {import('@stryker-mutator/api/core').PartialStrykerOptions} */
export default {
  mutate: [`${room}/**/*.ts`, '!**/*.test.ts'],
  checkers: ['sample'],
  plugins: ['@stryker-mutator/*', fileURLToPath(new URL('sample.mjs', import.meta.url))],
  testRunner: 'vitest',
  vitest: { configFile: 'test/mutation/vitest.config.ts' },
  coverageAnalysis: 'perTest',
  concurrency: 1,
  ignoreStatic: true,
  timeoutMS: 20_000,
  tempDirName: 'test/mutation/.sandbox',
  cleanTempDir: 'always',
  reporters: ['clear-text', 'progress-append-only', 'json'],
  jsonReporter: { fileName: 'test/mutation/report.json' },
  clearTextReporter: { allowColor: false, reportTests: false },
};
