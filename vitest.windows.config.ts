/**
 * How the tests of the Windows lane run (`npm run test:windows`): those of test/windows, and those of the module and of the
 * executable that mean the same on every system, whose testkit then starts Windows programs (test/testkit/windows/lane.ts).
 */
import { defineConfig } from 'vitest/config';
import { WORKERS } from './scripts/windows/lane.ts';

export default defineConfig({
  test: {
    include: [
      'test/windows/**/*.test.ts',
      'test/psmodule/*.test.ts',
      'test/cli/*.test.ts',
      'test/faults/kill.test.ts',
    ],
    pool: 'forks',
    maxWorkers: WORKERS,
    // A Windows program takes a second to start here.
    testTimeout: 60_000,
    hookTimeout: 120_000,
    restoreMocks: true,
    unstubEnvs: true,
    // The tests' account may write nothing in the tree.
    cache: false,
  },
});
