/**
 * TPM Base Services from within an executable, where the thread is started from text, modules have no files, and nothing
 * but the executable is there: with a program of its own, so that it needs no platform. On Linux, with a stand-in library.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { bundle } from '../../scripts/build/bundle.ts';
import { buildExecutable } from '../../scripts/build/executable.ts';
import { ROOT } from '../../scripts/build/platform.ts';
import { startTcpSwtpm, type TcpSwtpm } from '../testkit/swtpm-tcp.ts';
import { buildTbs, hasTbs } from '../testkit/tbs/library.ts';
import { ended } from '../testkit/transports.ts';

describe.skipIf(!hasTbs())('an executable', () => {
  let folder: string;
  let executable: string;
  let library: string;
  let swtpm: TcpSwtpm;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'spmigration-tbs-'));
    executable = join(folder, 'program');
    library = buildTbs(folder);
    swtpm = await startTcpSwtpm();
    const bundled = await bundle({ root: ROOT, entry: 'test/testkit/tbs/program.ts' });
    await buildExecutable({ platform: 'linux-x64', bundle: bundled, output: executable });
  });
  afterAll(async () => {
    await swtpm.stop();
    await rm(folder, { recursive: true });
  });

  it('reaches the TPM, prints no warning, and ends', async () => {
    vi.stubEnv('SPTBS_PORT', String(swtpm.port));
    expect(await ended(executable, [library])).toMatchObject({ code: 0, stdout: '20\n', stderr: '' });
  });

  it('says that there is no TPM where there is no library', async () => {
    const absent = { code: 1, stdout: 'TransportError: TPM Base Services: absent\n', stderr: '' };
    expect(await ended(executable, [join(folder, 'none.so')])).toMatchObject(absent);
    expect(await ended(executable, [])).toMatchObject(absent);
  });
});
