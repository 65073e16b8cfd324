/**
 * `Test-SPMigrationArchive`: whether an archive is whole and fits this computer, before the user stands in front of it and
 * without any secret. Answers the case for the calling account only; the keys themselves show when it is opened.
 */
import { isSPMigrationError, type SPMigrationError } from '../domain/error.ts';
import { secondsPerDay } from '../domain/time.ts';
import type { ReadArchive } from '../sealing/archive.ts';
import { archiveResult, lastGrant, readArchiveFile } from './archive.ts';
import { fitChecks, verifiedChain, type Fit } from './archive-fit.ts';
import { grantsHere } from './grants-context.ts';
import type { Call, Reader } from './operation.ts';
import { requirePlatform, type Platform } from './platform-context.ts';
import type { ArchiveTestResult, CheckResult } from './results.ts';
import { findUser } from './user-context.ts';

export interface TestArchiveParameters {
  readonly path: string;
  readonly forThisComputer?: boolean;
  readonly grantPath?: readonly string[];
}

export const testArchive: Reader<TestArchiveParameters, ArchiveTestResult> = async function* (
  call,
  parameters,
) {
  const { path } = parameters;
  const checks: CheckResult[] = [];
  const file = await attempt(checks, 'Whole', 'It is an archive and undamaged.', () =>
    readArchiveFile(call, path),
  );
  if (file === undefined) {
    yield result(checks, path, undefined, undefined, call);
    return;
  }
  const { read } = file;
  if (parameters.forThisComputer !== true) {
    await attempt(checks, 'Grants', 'Its grants lead to the root authority fixed in the key.', () => {
      verifiedChain(read, path);
    });
    yield result(checks, path, read, undefined, call);
    return;
  }
  const platform = await attempt(
    checks,
    'Platform',
    'This platform is initialized and its chip is the recorded one.',
    () => requirePlatform(call.ports),
  );
  if (platform !== undefined) {
    const fit: Fit = { path, read, platform, here: await grantsHere(call, parameters.grantPath ?? []), call };
    for (const { name, passedText, check } of fitChecks) {
      await attempt(checks, name, passedText, () => {
        check(fit);
      });
    }
  }
  yield result(
    checks,
    path,
    read,
    platform === undefined ? undefined : await caseHere(call, platform, read),
    call,
  );
};

/** It fits, and still is not imported without a decision. */
const replaceNote =
  'Importing sets the environment that is here aside; it needs -AllowReplace and a confirmation.';

interface CaseHere {
  readonly account: string;
  readonly case: ArchiveTestResult['case'];
}

async function caseHere(call: Call, platform: Platform, read: ReadArchive): Promise<CaseHere> {
  const account = platform.account.name;
  if (await call.ports.account.isServiceAccount()) return { account, case: 'NotKnown' };
  const { present } = await findUser(call, platform);
  if (present === undefined) return { account, case: 'Install' };
  return { account, case: present.basicUserKey === read.name ? 'Merge' : 'Replace' };
}

function result(
  checks: readonly CheckResult[],
  path: string,
  read: ReadArchive | undefined,
  here: CaseHere | undefined,
  call: Call,
): ArchiveTestResult {
  const failed = checks.filter(({ passed }) => !passed);
  const days =
    read === undefined ? null : (lastGrant(read).grant.notAfter - call.ports.clock()) / secondsPerDay;
  return {
    path,
    fits: failed.length === 0,
    case: here?.case ?? 'NotKnown',
    account: here?.account ?? '',
    destination: read === undefined ? '' : archiveResult(read, path, 0).destination,
    reasons: [...failed.map(({ message }) => message), ...(here?.case === 'Replace' ? [replaceNote] : [])],
    checks,
    daysLeft: days === null ? null : Math.max(0, Math.floor(days)),
  };
}

/** Runs one check and notes its outcome; the value, or undefined where it failed. */
export async function attempt<Value>(
  checks: CheckResult[],
  name: string,
  passedText: string,
  check: () => Value | Promise<Value>,
): Promise<Value | undefined> {
  try {
    const value = await check();
    checks.push({ name, passed: true, code: null, message: passedText, hint: null });
    return value;
  } catch (error) {
    if (!isSPMigrationError(error)) throw error;
    checks.push(failedCheck(name, error));
    return undefined;
  }
}

function failedCheck(name: string, error: SPMigrationError): CheckResult {
  return { name, passed: false, code: error.code, message: error.message, hint: error.hint };
}
