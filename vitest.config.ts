/**
 * How the tests run. Two workers, for the two cores that the slowest supported computer has; processes rather than
 * threads, because suites change their environment and working directory.
 */
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    projects: [
      // Nothing here changes what others see, so that a process can load the sources once for many files.
      { extends: true, test: { name: 'unit', include: ['test/unit/**/*.test.ts'], isolate: false } },
      {
        extends: true,
        test: {
          name: 'whole',
          include: ['test/**/*.test.ts'],
          // Those of the Windows lane have a run of their own: npm run test:windows.
          exclude: ['test/unit/**', 'test/windows/**', '**/node_modules/**'],
        },
      },
    ],
    // Where somebody's Windows lane is does not mean that these run in it.
    env: { SPMIGRATION_WINDOWS_LANE: '' },
    pool: 'forks',
    maxWorkers: 2,
    // The slowest honest test derives several Argon2id keys or starts a PowerShell engine.
    testTimeout: 30_000,
    // `builtExecutable()` may build in a hook, and waits for another worker that builds.
    hookTimeout: 120_000,
    restoreMocks: true,
    unstubEnvs: true,
  },
});
