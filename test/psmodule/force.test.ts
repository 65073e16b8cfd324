/**
 * `-Force` skips prompts and overwrites files; it never skips a check (design page 4, rule 2). Each cmdlet that has it is put
 * into situations that are forbidden, and is refused with and without it in the same way. A cmdlet that gets `-Force` and has
 * no situation here fails the test. With the quick executable, on copies of three simulated computers.
 */
import { readdir, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { ErrorCode } from '../../core/src/domain/error-catalogue.ts';
import type { ArchiveResult } from '../../core/src/operations/results.ts';
import { cmdlets } from '../../psmodule/schema/cmdlets.ts';
import type { Computer } from '../testkit/computer.ts';
import { quickModule } from '../testkit/quick-executable.ts';
import { openSession, type PowerShellSession } from '../testkit/powershell-session.ts';
import { havePowerShell } from '../testkit/powershell.ts';
import {
  copyWorld,
  fingerprintOf,
  grant,
  makeWorld,
  ownerPassword,
  password,
  removeWorld,
  type MadeWorld,
  type World,
} from '../testkit/world.ts';

vi.mock(import('../../core/src/crypto/kdf.ts'), async (original) =>
  (await import('../testkit/memo-kdf.ts')).cheapKdf(original),
);

interface Situation {
  readonly cmdlet: string;
  readonly what: string;
  readonly code: ErrorCode;
  readonly on: 'a' | 'b' | 'c';
  /** Its arguments; the location is the share, and `$data` what `prepare` answers. */
  readonly command: string;
  readonly prepare?: (world: World) => Promise<unknown>;
}

let made: MadeWorld;

const situations: readonly Situation[] = [
  {
    cmdlet: 'Initialize-SPMigrationPlatform',
    what: 'a platform that is initialized',
    code: 'PlatformAlreadyInitialized',
    on: 'a',
    command: '-OwnerPassword $owner',
  },
  {
    cmdlet: 'New-SPMigrationAuthority',
    what: 'a password that is too short',
    code: 'PasswordUnacceptable',
    on: 'a',
    command: '-Path . -OwnerPassword $short',
  },
  {
    cmdlet: 'Set-SPMigrationOwnerPassword',
    what: 'a wrong Owner Password',
    code: 'OwnerPasswordRejected',
    on: 'a',
    command: '-OwnerPassword $wrong -NewPassword $owner',
  },
  {
    cmdlet: 'Export-SPMigrationIdentity',
    what: 'a policy that forbids rehearsals',
    code: 'RehearsalForbidden',
    on: 'b',
    command: '-Path .',
    prepare: ({ b }) => writeFile(join(b.home, 'policy'), 'SPMigration policy v1\nAllowRehearsal: no\n'),
  },
  {
    cmdlet: 'Export-SPMigrationIdentity',
    what: 'a challenge to a software chip',
    code: 'AttestationUnsupported',
    on: 'b',
    command: '-Path . -ChallengePath PC-B.spid',
  },
  {
    cmdlet: 'New-SPMigrationChallenge',
    what: 'an identity that names no TPM',
    code: 'IdentityNotEndorsed',
    on: 'a',
    command: 'PC-B.spid -OwnerPassword $owner',
  },
  {
    cmdlet: 'Grant-SPMigrationAccess',
    what: 'a wrong fingerprint',
    code: 'FingerprintMismatch',
    on: 'a',
    command: `-Path PC-B.spid -Fingerprint '${'ffff '.repeat(10).trim()}' -OwnerPassword $owner`,
  },
  {
    cmdlet: 'Grant-SPMigrationAccess',
    what: 'a wrong Owner Password',
    code: 'OwnerPasswordRejected',
    on: 'a',
    command: '-Path PC-B.spid -OwnerPassword $wrong -WarningAction SilentlyContinue',
  },
  {
    cmdlet: 'Grant-SPMigrationAccess',
    what: 'a file that is no identity',
    code: 'WrongFileKind',
    on: 'a',
    command: '-Path *.sparc -OwnerPassword $owner -WarningAction SilentlyContinue',
  },
  {
    cmdlet: 'Revoke-SPMigrationAccess',
    what: 'a wrong Owner Password',
    code: 'OwnerPasswordRejected',
    on: 'a',
    command: '$data -OwnerPassword $wrong',
    prepare: () => Promise.resolve(made.access.serial),
  },
  {
    cmdlet: 'New-SPMigrationCredential',
    what: 'a wrong password',
    code: 'PasswordRejected',
    on: 'a',
    command: '-Subject Anna -Password $wrong',
  },
  {
    cmdlet: 'Remove-SPMigrationCredential',
    what: 'a credential that a feature uses',
    code: 'CredentialInUse',
    on: 'a',
    command: '$data -Password $p',
    prepare: () => Promise.resolve(made.credential.credential),
  },
  {
    cmdlet: 'Remove-SPMigrationCredential',
    what: 'a wrong password',
    code: 'PasswordRejected',
    on: 'a',
    command: '$data -Password $wrong',
    prepare: async ({ a }) => {
      await a.run('feature-disable', { feature: 'SecureEmail' }, { password });
      return made.credential.credential;
    },
  },
  {
    cmdlet: 'Remove-SPMigrationUser',
    what: 'a newer store',
    code: 'StoreNewer',
    on: 'a',
    command: '',
    prepare: ({ a }) => makeNewer(a),
  },
  {
    cmdlet: 'Export-SPMigration',
    what: 'a destination that nobody granted',
    code: 'DestinationNotAuthorized',
    on: 'a',
    command: '-Path x.sparc -Destination PC-C -Password $p',
  },
  {
    cmdlet: 'Export-SPMigration',
    what: 'an expired grant',
    code: 'GrantExpired',
    on: 'a',
    command: '-Path x.sparc -Serial $data -Password $p',
    prepare: async (world) => (await inThePast(world.a, () => grant(world, world.a, world.c))).serial,
  },
  {
    cmdlet: 'Export-SPMigration',
    what: 'a revoked grant',
    code: 'GrantRevoked',
    on: 'a',
    command: '-Path x.sparc -Serial $data -Password $p',
    prepare: async ({ a }) => {
      await a.run('access-revoke', { serial: made.access.serial }, { ownerPassword });
      return made.access.serial;
    },
  },
  {
    cmdlet: 'Export-SPMigration',
    what: 'a wrong password',
    code: 'PasswordRejected',
    on: 'a',
    command: '-Path x.sparc -Destination PC-B -Password $wrong',
  },
  {
    cmdlet: 'Import-SPMigration',
    what: 'an archive for another computer',
    code: 'ArchiveNotForThisPlatform',
    on: 'c',
    command: '*.sparc -Password $p',
  },
  {
    cmdlet: 'Import-SPMigration',
    what: 'a wrong password',
    code: 'PasswordRejected',
    on: 'b',
    command: '*.sparc -Password $wrong',
  },
  {
    cmdlet: 'Import-SPMigration',
    what: 'an expired grant',
    code: 'GrantExpired',
    on: 'c',
    command: '$data -Password $p',
    prepare: (world) =>
      inThePast(world.a, async () => {
        await grant(world, world.a, world.c);
        return exportedTo(world, 'PC-C');
      }),
  },
  {
    cmdlet: 'Import-SPMigration',
    what: 'a revoked grant',
    code: 'GrantRevoked',
    on: 'b',
    command: '*@PC-B.sparc -Password $p -GrantPath .',
    prepare: ({ a, share }) =>
      a.run('access-revoke', { serial: made.access.serial, outputPath: share }, { ownerPassword }),
  },
  {
    cmdlet: 'Import-SPMigration',
    what: 'a replacement that was not allowed',
    code: 'ImportWouldReplace',
    on: 'b',
    command: '*.sparc -Password $p',
    prepare: ({ b }) => b.run('user-initialize', {}, { password: 'another person 3' }),
  },
  {
    cmdlet: 'Import-SPMigration',
    what: 'a newer store',
    code: 'StoreNewer',
    on: 'b',
    command: '*.sparc -Password $p',
    prepare: async ({ b }) => {
      await b.run('user-initialize', {}, { password });
      await makeNewer(b);
    },
  },
  {
    cmdlet: 'Import-SPMigration',
    what: 'an authority that the policy does not trust',
    code: 'AuthorityNotTrusted',
    on: 'b',
    command: '*.sparc -Password $p',
    prepare: ({ b }) =>
      writeFile(
        join(b.home, 'policy'),
        `SPMigration policy v1\nTrustedAuthorities: ${'ab'.repeat(20)}\nAllowRehearsal: yes\n`,
      ),
  },
  {
    cmdlet: 'Import-SPMigration',
    what: 'an archive whose transfer code is missing',
    code: 'TransferCodeRequired',
    on: 'b',
    command: 'coded.sparc -Password $p',
    prepare: ({ a, share }) =>
      a.run(
        'export',
        { path: join(share, 'coded.sparc'), destination: 'PC-B' },
        { password, transferCode: 'ABCD-EFGH-JKMN-PQRS' },
      ),
  },
  {
    cmdlet: 'Undo-SPMigration',
    what: 'a wrong password',
    code: 'PasswordRejected',
    on: 'a',
    command: '-Password $wrong',
  },
  {
    cmdlet: 'Set-SPMigrationOwnerPassword',
    what: 'a new password that is too short',
    code: 'PasswordUnacceptable',
    on: 'a',
    command: '-OwnerPassword $owner -NewPassword $short',
  },
  {
    cmdlet: 'Remove-SPMigrationArchive',
    what: 'a file that is no archive',
    code: 'WrongFileKind',
    on: 'a',
    command: 'PC-B.spid',
  },
];

describe.skipIf(!havePowerShell())('-Force', { timeout: 120_000 }, () => {
  let session: PowerShellSession;

  beforeAll(async () => {
    const module = await quickModule();
    made = await makeWorld();
    session = await openSession();
    const { errors } = await session.invoke(
      `Import-Module -Name ([System.IO.Path]::Combine($data.module, 'SPMigration.psd1'))
       function Get-Secret([string] $text) { [System.Net.NetworkCredential]::new('', $text).SecurePassword }
       $owner = Get-Secret $data.owner; $p = Get-Secret $data.password
       $wrong = Get-Secret 'quite another password'; $short = Get-Secret 'short'`,
      { module, owner: ownerPassword, password },
    );
    expect(errors).toEqual([]);
  }, 240_000);
  afterAll(async () => {
    await session.close();
    await removeWorld(made);
  });

  it('has a forbidden situation here for every cmdlet that knows it', () => {
    const knowing = cmdlets.filter(({ parameters }) => parameters.some(({ name }) => name === 'Force'));
    const here = new Set(situations.map(({ cmdlet }) => cmdlet));
    expect([...here].sort()).toEqual(knowing.map(({ name }) => name).sort());
  });

  const rows = situations.map((one) => [one.cmdlet, one.what, one] as const);
  it.each(rows)('of %s does not help against %s', async (cmdlet, _, { on, code, command, prepare }) => {
    const world = await copyWorld(made);
    const data = await prepare?.(world);
    const before = await stateOf(world);
    const place = `$env:SPMIGRATION_HOME = '${world[on].home}'; Set-Location -LiteralPath '${world.share}'`;
    for (const option of ['-Confirm:$false', '-Force', '-Force -Confirm:$false']) {
      const { errors, output } = await session.invoke(`${place}; ${cmdlet} ${command} ${option}`, data);
      expect([option, errors.map(({ id }) => id)]).toEqual([option, [`${code},${cmdlet}`]]);
      expect(output).toEqual([]);
    }
    expect(await stateOf(world)).toEqual(before);
  });
});

/** Every file on the computers and between them, except for the record of failures. */
async function stateOf({ folder }: World): Promise<readonly string[]> {
  const lines = await fingerprintOf(folder);
  return lines.filter((line) => / [0-9a-f]{64}$/.test(line) && !/^\S*history/.test(line));
}

/** Runs `work` with the computer's clock 40 days back: a grant ends after 30. */
async function inThePast<Value>(computer: Computer, work: () => Promise<Value>): Promise<Value> {
  const { ports } = computer;
  computer.ports = { ...ports, clock: () => ports.clock() - 40 * 86_400 };
  try {
    return await work();
  } finally {
    computer.ports = ports;
  }
}

async function exportedTo({ a, share }: World, destination: string): Promise<string> {
  const archive = await a.one<ArchiveResult>('export', { path: share, destination }, { password });
  return basename(archive.path);
}

/** The environment as a later version would leave it. */
async function makeNewer({ home }: Computer): Promise<void> {
  const paths = (await readdir(home, { recursive: true })).filter((path) => basename(path) === 'current');
  if (paths.length !== 1) throw new Error(`pointers: ${paths.join()}`);
  await writeFile(join(home, paths[0] ?? ''), 'SPMigration environment-pointer v2\nanything: new\n');
}
