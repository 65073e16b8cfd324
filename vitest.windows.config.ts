/**
 * How the tests of the Windows lane run (`npm run test:windows`): those of test/windows, and those of the module and of the
 * executable that say something of Windows which they do not say on Linux, whose testkit then starts Windows programs
 * (test/testkit/windows/lane.ts). Each start of one takes a second there; so what is only more of the same runs with
 * SPMIGRATION_FULL=1, and what needs more of a certificate store than Wine has does not run there at all.
 */
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { LANE_VARIABLE, WORKERS } from './scripts/windows/lane.ts';

/** Pipelines, the child and its streams, a person's answers and Ctrl+C, and interrupted writes. */
const shared = [
  'test/psmodule/pipelines.test.ts',
  'test/psmodule/runner.test.ts',
  'test/psmodule/person.test.ts',
  'test/faults/kill.test.ts',
];

/** The command line, the process protocol, and the module's own texts and types. */
const more = ['test/cli/command-line.test.ts', 'test/cli/rpc.test.ts', 'test/psmodule/contract.test.ts'];

/** Without a lane those of test/windows alone say that they are skipped. */
const elsewhere = [...shared, ...(process.env.SPMIGRATION_FULL === '1' ? more : [])];
const lane = process.env[LANE_VARIABLE] ?? '';

/** Begins with the demonstration, so that it is not the last for which one worker waits. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isLong = ({ moduleId }: TestSpecification): boolean => moduleId.endsWith('/demo.test.ts');
    const sorted = await super.sort(files);
    return [...sorted.filter(isLong), ...sorted.filter((file) => !isLong(file))];
  }
}

export default defineConfig({
  test: {
    include: ['test/windows/**/*.test.ts', ...(lane === '' ? [] : elsewhere)],
    pool: 'forks',
    maxWorkers: WORKERS,
    sequence: { sequencer: LongestFirst },
    // A Windows program takes a second to start here, and many on a computer that has other work.
    testTimeout: 120_000,
    hookTimeout: 240_000,
    restoreMocks: true,
    unstubEnvs: true,
    // The tests' account may write nothing in the tree.
    cache: false,
  },
});
