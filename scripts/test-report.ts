/** What a run of vitest came to, from the JSON report that it wrote: `npm test` and the Windows lane end with these counts. */
import { readFile } from 'node:fs/promises';

export interface TestCounts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** vitest's JSON report, as far as it is read here. */
interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly testResults: readonly {
    readonly status: string;
    readonly assertionResults: readonly { readonly status: string }[];
  }[];
}

/** `exitCode`: vitest's. A run that failed otherwise than by a test counts as one failure. */
export async function countTests(reportPath: string, exitCode: number): Promise<TestCounts> {
  const text = await readIfThere(reportPath);
  if (text === undefined) return notRun;
  const report = JSON.parse(text) as Report;
  // A file that could not even be loaded has failed without a failed test in it.
  const brokenFiles = report.testResults.filter(
    ({ status, assertionResults }) =>
      status === 'failed' && !assertionResults.some((test) => test.status === 'failed'),
  );
  const failed = report.numFailedTests + brokenFiles.length;
  return {
    passed: report.numPassedTests,
    failed: failed === 0 && exitCode !== 0 ? 1 : failed,
    skipped: report.numPendingTests + report.numTodoTests,
  };
}

/** The line that ends a run: `12 passed, 0 failed, 3 skipped`. */
export function countsLine({ passed, failed, skipped }: TestCounts): string {
  return `${passed} passed, ${failed} failed${skipped === 0 ? '' : `, ${skipped} skipped`}`;
}

export function addCounts(one: TestCounts, other: TestCounts): TestCounts {
  return {
    passed: one.passed + other.passed,
    failed: one.failed + other.failed,
    skipped: one.skipped + other.skipped,
  };
}

/** What another run wrote as JSON; one failure where it did not come so far. */
export async function readCounts(path: string): Promise<TestCounts> {
  const text = await readIfThere(path);
  return text === undefined ? notRun : (JSON.parse(text) as TestCounts);
}

/** vitest, or another run, did not get that far. */
const notRun: TestCounts = { passed: 0, failed: 1, skipped: 0 };

async function readIfThere(path: string): Promise<string | undefined> {
  return await readFile(path, 'utf8').catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return undefined;
  });
}
