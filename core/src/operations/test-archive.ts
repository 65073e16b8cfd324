/**
 * `Test-SPMigrationArchive`: whether an archive is whole and fits this computer, before the user stands in front of it and
 * without any secret. Every check is made that can be, whatever the ones before it found. Answers the case for the calling
 * account only; the keys themselves show when it is opened.
 */
import { equal } from '../bytes/bytes.ts';
import { secondsPerDay } from '../domain/time.ts';
import type { ReadArchive } from '../sealing/archive.ts';
import { lastGrant, parseArchive, readArchiveBytes } from './archive.ts';
import { fitChecks, type Travelled } from './archive-fit.ts';
import { Checks, counted, type Note } from './checks.ts';
import { grantsHere } from './grants-context.ts';
import type { Call, Reader } from './operation.ts';
import { requirePlatform, type Platform } from './platform-context.ts';
import type { ArchiveTestResult } from './results.ts';
import { sizeText, requireSpaceToImport } from './space.ts';
import { findUser, type User } from './user-context.ts';

export interface TestArchiveParameters {
  readonly path: string;
  readonly forThisComputer?: boolean;
  readonly grantPath?: readonly string[];
}

/** Checks that say something about an archive wherever it is. */
const everywhere: readonly string[] = ['Grants'];

export const testArchive: Reader<TestArchiveParameters, ArchiveTestResult> = async function* (
  call,
  parameters,
) {
  const { path } = parameters;
  const checks = new Checks();
  const bytes = await checks.attempt('File', 'It is an archive.', () => readArchiveBytes(call, path));
  const read =
    bytes &&
    (await checks.attempt('Whole', 'It is undamaged, and of a version that this program reads.', () =>
      parseArchive(call, bytes, path),
    ));
  const found: Found = { account: '', case: 'NotKnown' };
  if (read === undefined) yield result(checks, path, read, found, call);
  else if (parameters.forThisComputer === true) {
    yield result(checks, path, read, await testHere(call, parameters, read, checks), call);
  } else {
    await testFit(checks, { path, read, here: { revoked: () => undefined }, call }, undefined, everywhere);
    yield result(checks, path, read, found, call);
  }
};

interface Found {
  readonly account: string;
  readonly case: ArchiveTestResult['case'];
}

/** Everything about this computer and the calling account. */
async function testHere(
  call: Call,
  { path, grantPath = [] }: TestArchiveParameters,
  read: ReadArchive,
  checks: Checks,
): Promise<Found> {
  const platform = await checks.attempt(
    'Platform',
    'This platform is initialized and its chip is the recorded one.',
    () => requirePlatform(call.ports),
  );
  const here = await checks.attempt(
    'Revocation lists',
    ({ revocations }) => `All that can be found here are readable: ${counted(revocations.length, 'list')}.`,
    () => grantsHere(call, grantPath),
  );
  // Unreadable lists are a failure of their own; what else can be said is said.
  const archive: Travelled = { path, read, here: here ?? { revoked: () => undefined }, call };
  await testFit(checks, archive, platform);
  if (read.manifest.transferCode) {
    checks.pass('Transfer code', {
      message: 'It opens only together with its transfer code, which was shown once at its export.',
      hint: 'Have the code at hand, and pass it with -TransferCode (command line: --transfer-code-stdin).',
    });
  }
  return platform === undefined
    ? { account: '', case: 'NotKnown' }
    : testEnvironment(call, platform, read, checks);
}

/** The rules of the move. `only`: names of those to be made; all where it is undefined. */
async function testFit(
  checks: Checks,
  archive: Travelled,
  platform: Platform | undefined,
  only?: readonly string[],
): Promise<void> {
  for (const one of fitChecks) {
    if (only?.includes(one.name) === false) continue;
    const passed = (said: Note | string | undefined): Note | string => said ?? one.passedText;
    if (one.about === 'archive') await checks.attempt(one.name, passed, () => one.check(archive));
    else if (platform !== undefined)
      await checks.attempt(one.name, passed, () => one.check({ ...archive, platform }));
  }
}

/** What the import would meet in the calling account's folder: nothing, the same key or another, and room. */
async function testEnvironment(
  call: Call,
  platform: Platform,
  read: ReadArchive,
  checks: Checks,
): Promise<Found> {
  const account = platform.account.name;
  if (await call.ports.account.isServiceAccount()) {
    checks.pass('Environment', {
      message: `${account} is a service account: what is here for the person who will import is not known.`,
      hint: 'Run the test as that person to learn whether it will be an install, a merge or a replace.',
    });
    return { account, case: 'NotKnown' };
  }
  const user = await checks.attempt(
    'Environment',
    (found: User) => meeting(found, read),
    () => findUser(call, platform),
  );
  if (user === undefined) return { account, case: 'NotKnown' };
  await checks.attempt(
    'Space',
    (free: number | undefined) =>
      free === undefined
        ? 'The disk does not say how much space is left.'
        : `There is space enough: ${sizeText(free)} are free.`,
    () => requireSpaceToImport(call.ports, user, read),
  );
  return { account, case: caseOf(user, read) };
}

/** The case without a secret: from Basic User Keys alone. */
function caseOf({ present }: User, read: ReadArchive): 'Install' | 'Merge' | 'Replace' {
  if (present === undefined) return 'Install';
  return present.basicUserKey === read.name ? 'Merge' : 'Replace';
}

function meeting(user: User, read: ReadArchive): string | Note {
  const { present, platform } = user;
  const { manifest } = read;
  if (present === undefined) return `Install: there is no environment of ${platform.account.name} here yet.`;
  if (caseOf(user, read) === 'Merge') {
    const merge = 'Merge: the same Basic User Key is here; what is here stays.';
    if (equal(present.decoded.header.passwordSalt, manifest.passwordSalt)) return merge;
    return {
      message: `${merge} Its password was set at another time than the archive's.`,
      hint: `If they differ, -Password is the one of ${manifest.account.name} on ${manifest.sourceComputer} at the time of the export, and -CurrentPassword the one of this computer.`,
    };
  }
  if (claimsToContinue(user, read)) {
    return {
      message:
        'Replace: another Basic User Key is here. The archive claims to continue it; if that shows to be true, the import is a merge.',
      hint: 'That needs both passwords: -Password is the one of the archive, -CurrentPassword the one of this computer.',
    };
  }
  return {
    message:
      'Replace: another Basic User Key is here. Importing sets its environment aside; it needs -AllowReplace and a confirmation.',
    hint: 'Decrypt your encrypted data first, or ask the administrator. The old environment is kept in quarantine.',
  };
}

/** What the manifest says: it shows only when the archive is open whether that is true (ruling 9). */
function claimsToContinue({ present }: User, { manifest }: ReadArchive): boolean {
  return present !== undefined && manifest.replaces.includes(present.basicUserKey);
}

function result(
  checks: Checks,
  path: string,
  read: ReadArchive | undefined,
  found: Found,
  call: Call,
): ArchiveTestResult {
  const days =
    read === undefined ? null : (lastGrant(read).grant.notAfter - call.ports.clock()) / secondsPerDay;
  return {
    path,
    fits: checks.allPassed,
    case: found.case,
    account: found.account,
    destination: read?.manifest.destinationComputer ?? '',
    reasons: checks.reasons,
    checks: checks.list,
    daysLeft: days === null ? null : Math.max(0, Math.floor(days)),
  };
}
