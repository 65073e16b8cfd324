/** A folder on the real disk for one test; removed when the test ends. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** An empty folder that only this account can reach (mode 0700). Call it inside a test. */
export async function makeTemporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'spmigration-test-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}
