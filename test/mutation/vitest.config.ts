import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/** Whose tests have to notice faults in a room: its own, without what other packages need set up. Lists are tested by the engine's. */
const TESTED_BY: Readonly<Record<string, readonly string[]>> = { segments: ['segments', 'engine'] };

const room = String(process.env['MUTATED_ROOM']);

export default defineConfig({
  test: {
    include: (TESTED_BY[room] ?? [room]).map((tests) => `packages/topology/src/${tests}/**/*.test.ts`),
    setupFiles: [fileURLToPath(new URL('short-properties.ts', import.meta.url))],
    testTimeout: 60_000,
    maxWorkers: 1,
  },
});
