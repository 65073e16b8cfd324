/**
 * `Test-SPMigration`: whether this computer can be the source or the destination of a move, point by point and without any
 * secret. Here what concerns the computer and its owner; the caller's environment is in `test-user.ts`. Every check is made
 * that can be, whatever the ones before it found; nothing is changed.
 */
import { equal } from '../bytes/bytes.ts';
import { fail } from '../domain/error.ts';
import type { HistoryLine } from '../domain/history.ts';
import { groupFingerprint } from '../domain/ids.ts';
import { formatInstant, type Instant } from '../domain/time.ts';
import { decodeAuthorityFile } from '../format/authority-v1.ts';
import { Checks, counted } from './checks.ts';
import { testEvidence, type Chains } from './evidence.ts';
import { readRevocationList } from './grants-context.ts';
import type { Call, Reader } from './operation.ts';
import { recordedPlatform, type Platform } from './platform-context.ts';
import type { CheckResult } from './results.ts';
import { testSource } from './test-source.ts';
import { testUser } from './test-user.ts';

export interface TestPlatformParameters {
  /** Undefined: both. */
  readonly role?: 'Source' | 'Destination';
  /** The age from which the Basic User Password is to be changed. */
  readonly maximumPasswordAgeDays?: number;
  /** Grants, archives and receipts (or folders of them) to compare the history with. */
  readonly evidence?: readonly string[];
}

/** What two computers' clocks may differ without anyone having set one back. */
const clockToleranceSeconds = 300;

export const testPlatform: Reader<TestPlatformParameters, CheckResult> = async function* (call, parameters) {
  const checks = new Checks();
  const { maximumPasswordAgeDays } = parameters;
  if (maximumPasswordAgeDays !== undefined && maximumPasswordAgeDays < 1) {
    throw fail('ParameterInvalid', { parameter: 'MaximumPasswordAgeDays', problem: 'it is below 1' });
  }
  await testPolicy(call, checks);
  await testFolders(call, checks);
  const platform = await checks.attempt(
    'Platform',
    ({ settings }) =>
      `It is initialized as ${settings.computer}${settings.rehearsal ? ', as a rehearsal' : ''}.`,
    () => recordedPlatform(call.ports),
  );
  if (platform !== undefined) {
    await testChip(platform, checks);
    await testAuthority(call, platform, checks);
    await testRevocationLists(call, checks);
    const chains = await testHistory(call, platform, checks);
    const lines = [...(chains.platform ?? []), ...(chains.user ?? [])];
    testClock(call, platform, lines, checks);
    await testEvidence(call, platform, parameters.evidence ?? [], chains, checks);
    const user = await testUser(call, platform, { ...parameters, lines }, checks);
    const present = user?.present;
    if (user !== undefined && present !== undefined && parameters.role !== 'Destination')
      await testSource(call, { ...user, present }, checks);
  }
  yield* checks.list;
};

async function testPolicy(call: Call, checks: Checks): Promise<void> {
  const { policy, rehearsal } = call.ports;
  await checks.attempt(
    'Policy',
    ({ trustedAuthorities: trusted }) =>
      trusted === undefined
        ? 'No policy lists trusted authorities: imports under any authority are accepted, and that is recorded.'
        : trusted.length === 1
          ? 'Imports are accepted under one listed authority.'
          : `Imports are accepted under ${trusted.length} listed authorities.`,
    async () => {
      const found = await policy.read();
      if (rehearsal && !found.allowRehearsal) throw fail('RehearsalForbidden');
      return found;
    },
  );
}

async function testFolders(call: Call, checks: Checks): Promise<void> {
  const problems = await call.ports.platform.folderProblems();
  for (const problem of problems) checks.fail('Folder', problem);
  if (problems.length === 0)
    checks.pass('Folder', `Only administrators can change ${call.ports.platform.path}.`);
}

async function testChip({ settings, chip }: Platform, checks: Checks): Promise<void> {
  await checks.attempt(
    'Chip',
    ({ model }) => `${model}: its storage key is the recorded one.`,
    async () => {
      if (!equal(await chip.storageKey(), settings.storageKey)) throw fail('StorageKeyChanged');
      const description = await chip.describe();
      const { lockedOut = false, atMostSeconds = 0 } = description.lockOut ?? {};
      if (lockedOut)
        throw fail('ChipLockedOut', { wait: `it lasts ${String(atMostSeconds)} seconds at most` });
      return description;
    },
  );
}

/** The key by which grants are signed here; only an administrator can see it. */
async function testAuthority(call: Call, platform: Platform, checks: Checks): Promise<void> {
  const { settings, authority } = platform;
  if (settings.authority === 'fleet') {
    checks.pass('Authority', `Grants are signed elsewhere, by ${groupFingerprint(authority)}.`);
    return;
  }
  if (!(await call.ports.account.isAdministrator())) {
    checks.pass('Authority', "Not looked at: only an administrator may read the owner's key file.");
    return;
  }
  await checks.attempt('Authority', "The owner's key file is there and fits this platform.", async () => {
    const file = await call.ports.platform.authorityKey();
    const damaged = (path: string, problem: string): Error => fail('PlatformDamaged', { path, problem });
    if (file === undefined) throw damaged(call.ports.platform.path, 'the authority key is missing');
    if (!equal(decodeAuthorityFile(file.bytes, file.path).publicKey, settings.authorityKey))
      throw damaged(file.path, 'it is the key of another authority than the one recorded for this platform');
  });
}

/** Each list by itself: a damaged one stops every move (docs/spec/grant.md, "Revocation list"). */
async function testRevocationLists(call: Call, checks: Checks): Promise<void> {
  const files = await checks.attempt(
    'Revocation lists',
    (found) => (found.length === 0 ? 'There is none here.' : `${counted(found.length, 'list')} here.`),
    () => call.ports.platform.list('revocations'),
  );
  for (const { bytes, path } of files ?? []) {
    const list = await checks.attempt(
      'Revocation list',
      ({ list: { number, revoked }, signer }) =>
        `Number ${number} of ${groupFingerprint(signer)} revokes ${counted(revoked.length, 'grant')}.`,
      () => readRevocationList(bytes, path),
    );
    if (list !== undefined) requireNotAhead(call, checks, list.list.issued, path);
  }
}

/** Each chain; answers their lines, where they hold and the caller may read them. */
async function testHistory(call: Call, platform: Platform, checks: Checks): Promise<Chains> {
  const history = call.ports.history(platform.ids.platformId);
  const holds = (found: readonly HistoryLine[]): string =>
    `The chain holds; it has ${counted(found.length, 'line')}.`;
  const isAdministrator = await call.ports.account.isAdministrator();
  if (!isAdministrator)
    checks.pass('History (platform)', 'Not looked at: only an administrator may read it.');
  const read = (scope: HistoryLine['scope']): Promise<readonly HistoryLine[] | undefined> =>
    checks.attempt(`History (${scope})`, holds, () => history.read(scope));
  return { platform: isAdministrator ? await read('platform') : undefined, user: await read('user') };
}

/** Whether time went backwards: grants are within their time or not by this clock, and by no other. */
function testClock(call: Call, { settings }: Platform, lines: readonly HistoryLine[], checks: Checks): void {
  const before = checks.list.length;
  requireNotAhead(call, checks, settings.created, 'the initialization of this platform');
  const newest = lines.reduce<HistoryLine | undefined>(
    (latest, line) => (latest === undefined || line.time > latest.time ? line : latest),
    undefined,
  );
  if (newest !== undefined)
    requireNotAhead(call, checks, newest.time, `line ${newest.number} of the history (${newest.scope})`);
  if (checks.list.length > before) return;
  checks.pass('Clock', `It says ${formatInstant(call.ports.clock())}, and nothing here is from later.`);
}

function requireNotAhead(call: Call, checks: Checks, time: Instant, what: string): void {
  const now = call.ports.clock();
  if (time <= now + clockToleranceSeconds) return;
  checks.fail(
    'Clock',
    fail('ClockImplausible', { now: formatInstant(now), what, time: formatInstant(time) }),
  );
}
