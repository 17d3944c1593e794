import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['packages/*/src/**/*.test.ts', 'apps/*/src/**/*.test.ts', 'test/**/*.test.ts'],
    setupFiles: ['test/property-seed.ts'],
    globalSetup: ['apps/controller/src/testing/global-setup.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    maxWorkers: 2,
    // The suites would share the tables and blocks of one real VPP, and the names in one real cluster.
    fileParallelism: process.env['VPP_API_SOCKET'] === undefined && process.env['TEST_KUBECONFIG'] === undefined,
  },
});
