import { defineConfig } from 'vitest/config';

/** A room's own tests, which have to notice by themselves; without what other packages need set up. */
export default defineConfig({
  test: {
    include: [`packages/topology/src/${String(process.env['MUTATED_ROOM'])}/**/*.test.ts`],
    testTimeout: 60_000,
    maxWorkers: 1,
  },
});
