/**
 * The built module with a fake core in place of the executable, in a folder whose name has a space and letters beyond
 * ASCII, and a PowerShell session that has imported it. Leaves out the real core: `builtModule()` has that.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { VERSION } from '../../core/src/version.ts';
import { buildModule } from '../../psmodule/build.ts';
import { windowsLane } from './windows/lane.ts';
import { windowsProcesses } from './windows/processes.ts';
import { placeFakeCore, type Act, type FakeCore, type Scenario } from './fake-core.ts';

export interface FakeModule {
  /** A folder for this test's own files. */
  readonly folder: string;
  /** The manifest, for Import-Module. */
  readonly manifest: string;
  readonly core: FakeCore;
  /** Sets what the fake core says from now on. */
  script(answers: Scenario['answers'], rest?: Partial<Omit<Scenario, 'answers'>>): void;
  remove(): void;
}

export async function makeFakeModule(): Promise<FakeModule> {
  const folder = mkdtempSync(join(tmpdir(), 'spmigration m\u00f6dule '));
  const moduleFolder = join(folder, 'SPMigration', VERSION);
  await buildModule(moduleFolder);
  const core = placeFakeCore(moduleFolder);
  const script: FakeModule['script'] = (answers, rest = {}) => {
    core.script({ version: VERSION, answers, ...rest });
  };
  script({});
  return {
    folder,
    manifest: join(moduleFolder, 'SPMigration.psd1'),
    core,
    script,
    remove: () => {
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A `result` record. */
export function result(type: string, value: Readonly<Record<string, unknown>>): Act {
  return { record: { t: 'result', type, value } };
}

/** A `plan` record; `medium` impact unless said otherwise. */
export function plan(planId: string, rest: Readonly<Record<string, unknown>> = {}): Act {
  return {
    record: {
      t: 'plan',
      planId,
      operation: 'x',
      action: 'Do the thing',
      target: 'the target',
      impact: 'medium',
      lines: ['The first effect.', 'The second effect.'],
      value: null,
      ...rest,
    },
  };
}

/** An `error` record as the core writes it. */
export function failure(code: string, category: string, rest: Readonly<Record<string, unknown>> = {}): Act {
  return {
    record: {
      t: 'error',
      code,
      class: 'x',
      category,
      message: `The fact of ${code}.`,
      hint: `The step after ${code}.`,
      target: null,
      details: {},
      ...rest,
    },
  };
}

/** A complete identity, as `identity-export` and `identity-read` answer it. */
export function identity(path: string): Act {
  return result('Identity', {
    path,
    computer: 'PC-B',
    fingerprint: '0123 4567 89ab cdef 0123 4567 89ab cdef 0123 4567',
    chip: 'software',
    proof: 'Software',
    rehearsal: true,
    authorityFingerprint: 'aaaa',
    storageKeyName: '000b',
    created: '2026-11-24T06:00:00Z',
  });
}

/** Those of the processes that still work. */
function living(pids: readonly number[]): readonly number[] {
  if (windowsLane() === undefined) return pids.filter(isAlive);
  const all = windowsProcesses();
  return pids.filter((pid) => all.has(pid));
}

/** Whether the process still works. One that ended and was not collected by its parent yet (a zombie) does not. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    // The state stands behind the name, which is in parentheses and may hold anything.
    return (
      process.platform !== 'linux' || !readFileSync(`/proc/${String(pid)}/stat`, 'utf8').includes(') Z ')
    );
  } catch {
    return false; // ended, perhaps between the two questions
  }
}

/** In the Windows lane the question alone takes a second. */
const endMs = windowsLane() === undefined ? 2_000 : 20_000;

/** Resolves once none of the processes works any more; rejects, naming them, where some still do after two seconds. */
export async function allEnded(pids: readonly number[]): Promise<void> {
  const deadline = performance.now() + endMs;
  for (;;) {
    const alive = living(pids);
    if (alive.length === 0) return;
    if (performance.now() > deadline) throw new Error(`still running: ${alive.join(', ')}`);
    await delay(20);
  }
}
