/**
 * The module on Windows with the real executable, in one session: `-WhatIf` shows the plan and changes no byte, `-Force` and
 * `-Confirm:$false` help against no refusal, and what is agreed to is done. On copies of three simulated computers that the
 * testkit made on Linux. Every cmdlet and every refusal, on Linux: test/psmodule/what-if.test.ts and force.test.ts.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { StatusResult } from '../../core/src/operations/results.ts';
import { builtModule } from '../testkit/executable.ts';
import { keptFiles } from '../testkit/kept-files.ts';
import { openSession, type PowerShellSession } from '../testkit/powershell-session.ts';
import { haveWindows, windowsPath } from '../testkit/windows/lane.ts';
import {
  copyWorld,
  fingerprintOf,
  makeWorld,
  ownerPassword,
  password,
  removeWorld,
  stateOf,
  type MadeWorld,
  type World,
} from '../testkit/world.ts';

vi.mock(import('../../core/src/crypto/kdf.ts'), async (original) =>
  (await import('../testkit/memo-kdf.ts')).memoizedKdf(original),
);

type Place = 'a' | 'b' | 'c';
/** Where, a command, and the target of its plan. */
type Planned = readonly [on: Place, command: string, target: RegExp];
interface Refused {
  readonly on: Place;
  readonly command: string;
  readonly code: string;
  readonly prepare?: (world: World) => Promise<unknown>;
}

const planned: readonly Planned[] = [
  ['a', 'New-SPMigrationCredential -Subject "Anna at work" -Password $p', /Anna at work/],
  ['a', 'Set-SPMigrationPassword -Password $p -NewPassword $p2', /Jörg Ünïcode 日本/],
  ['a', 'Export-SPMigration -Path "an other.sparc" -Destination PC-B -Password $p', /PC-B/],
  ['a', 'Get-SPMigrationAccess | Revoke-SPMigrationAccess -OwnerPassword $owner', /PC-B/],
  ['b', 'Import-SPMigration *@PC-B.sparc -Password $p', /Jörg Ünïcode 日本|PC-B/],
];

const refused: readonly Refused[] = [
  {
    on: 'a',
    command: 'Export-SPMigration -Path x.sparc -Destination PC-C -Password $p',
    code: 'DestinationNotAuthorized',
  },
  { on: 'a', command: 'New-SPMigrationCredential -Subject Anna -Password $wrong', code: 'PasswordRejected' },
  {
    on: 'a',
    command: `Grant-SPMigrationAccess PC-B.spid -Fingerprint ${'f'.repeat(40)} -OwnerPassword $owner`,
    code: 'FingerprintMismatch',
  },
  { on: 'c', command: 'Import-SPMigration *@PC-B.sparc -Password $p', code: 'ArchiveNotForThisPlatform' },
  {
    on: 'b',
    command: 'Import-SPMigration *@PC-B.sparc -Password $p',
    code: 'ImportWouldReplace',
    prepare: ({ b }) => b.run('user-initialize', {}, { password: 'another person 3' }),
  },
  {
    on: 'b',
    command: 'Export-SPMigrationIdentity -Path .',
    code: 'RehearsalForbidden',
    prepare: ({ b }) => writeFile(join(b.home, 'policy'), 'SPMigration policy v1\nAllowRehearsal: no\n'),
  },
];

describe.skipIf(!haveWindows())('the module on Windows', { timeout: 300_000 }, () => {
  let made: MadeWorld;
  let session: PowerShellSession;
  beforeAll(async () => {
    made = await makeWorld();
    session = await openSession({ timeoutMs: 110_000 });
    const { errors } = await session.invoke(
      `Import-Module -Name $data.manifest
       function Get-Secret([string] $text) { [System.Net.NetworkCredential]::new('', $text).SecurePassword }
       $owner = Get-Secret $data.owner; $p = Get-Secret $data.password
       $p2 = Get-Secret 'ein neues Passwort äöü 2'; $wrong = Get-Secret 'quite another password'`,
      {
        manifest: windowsPath(join(await builtModule(), 'SPMigration.psd1')),
        owner: ownerPassword,
        password,
      },
    );
    expect(errors).toEqual([]);
  }, 240_000);
  afterAll(async () => {
    await session.close();
    await removeWorld(made);
  });

  const run = <T = unknown>(world: World, on: Place, command: string) =>
    session.invoke<T>(
      `$env:SPMIGRATION_HOME = $data.home; Set-Location -LiteralPath $data.share; ${command}`,
      { home: windowsPath(world[on].home), share: windowsPath(world.share) },
    );

  it('knows the computer that was made on Linux', async () => {
    const world = await copyWorld(made);
    const { output, errors } = await run<StatusResult>(
      world,
      'a',
      'Get-SPMigrationStatus | Select-Object Computer, Initialized, UserInitialized, Credentials, AccountName',
    );
    expect(errors).toEqual([]);
    expect(output).toMatchObject([
      { Computer: 'PC-A', Initialized: true, UserInitialized: true, Credentials: 1 },
    ]);
  });

  it.each(planned)('on %s: %s -WhatIf shows its plan, and changes no byte', async (on, command, target) => {
    const world = await copyWorld(made);
    const before = await fingerprintOf(world.folder);
    const { errors, output, text } = await run(world, on, `${command} -WhatIf`);
    expect([errors, output]).toEqual([[], []]);
    expect(text).toMatch(/^What if: /);
    expect(text).toMatch(target);
    expect(await fingerprintOf(world.folder)).toEqual(before);
  });

  it('does what was planned, and no more the second time', async () => {
    const world = await copyWorld(made);
    const importing = 'Import-SPMigration *@PC-B.sparc -Password $p -Confirm:$false';
    const first = await run(world, 'b', importing);
    expect(first.errors).toEqual([]);
    expect(first.output).toMatchObject([{ Case: 'Install', Unchanged: false }]);
    const after = await stateOf(world.folder);
    expect(after).not.toEqual(await stateOf(made.world.folder));
    const second = await run(world, 'b', importing);
    expect(second.output).toMatchObject([{ Case: 'Merge', Unchanged: true }]);
    const [a, b] = await Promise.all(
      [world.a, world.b].map(async (computer) => (await keptFiles(computer, [password])).at(-1)?.publicKeys),
    );
    expect(b).toHaveLength(1);
    expect(b).toEqual(a);
  });

  it.each(refused)('on $on: $command is $code also with -Force', async ({ on, command, code, prepare }) => {
    const world = await copyWorld(made);
    await prepare?.(world);
    const before = await stateOf(world.folder);
    const { errors, output } = await run(world, on, `${command} -Force -Confirm:$false`);
    expect(errors.map(({ id }) => id)).toEqual([`${code},${/^\S+/.exec(command)?.[0] ?? ''}`]);
    expect(output).toEqual([]);
    expect(await stateOf(world.folder)).toEqual(before);
  });
});
