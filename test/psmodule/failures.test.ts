/**
 * One failed item among many: an error record for it, the rest goes on, and what was and was not done is told (design page 1,
 * last paragraph; page 4, rule 5). Every cmdlet of the schema that takes a pipeline is walked through by itself; a new one
 * needs nothing here. The core is a fake that fails at the second of three.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cmdlets, type Cmdlet } from '../../psmodule/schema/cmdlets.ts';
import type { Parameter } from '../../psmodule/schema/parameters.ts';
import type { ResultTypeName } from '../../psmodule/schema/results.ts';
import type { Act } from '../testkit/fake-core.ts';
import { failure, makeFakeModule, plan, result, type FakeModule } from '../testkit/fake-module.ts';
import { openSession, type PowerShellSession } from '../testkit/powershell-session.ts';
import { havePowerShell } from '../testkit/powershell.ts';
import { sampleOf } from '../testkit/result-samples.ts';

const comesByPipe = (one: Parameter): boolean => one.fromPipeline || one.fromPipelineByPropertyName;
const piping = cmdlets.filter(({ parameters }) => parameters.some(comesByPipe));

describe.skipIf(!havePowerShell())('one failed item among many', { timeout: 120_000 }, () => {
  let fake: FakeModule;
  let session: PowerShellSession;

  beforeAll(async () => {
    fake = await makeFakeModule();
    for (const name of NAMES) writeFileSync(join(fake.folder, name), '');
    session = await openSession({ cwd: fake.folder });
    // A certificate store would need a real PKCS#12; here only the pipeline matters.
    const { errors } = await session.invoke(
      `Import-Module -Name $data
       $s = [securestring]::new(); $s.AppendChar('x')
       & (Get-Module SPMigration) { function script:Install-SPCertificate { 'AB' } }`,
      fake.manifest,
    );
    expect(errors).toEqual([]);
  });
  afterAll(async () => {
    await session.close();
    fake.remove();
  });

  it('concerns most cmdlets', () => {
    expect(piping.length).toBeGreaterThan(15);
  });

  describe.each(piping.map((cmdlet) => [cmdlet.name, cmdlet] as const))('of %s', (name, cmdlet) => {
    const changes = cmdlet.impact !== 'None';

    it('is an error record, and the others go on', async () => {
      fake.script(answersOf(cmdlet, failure('StorageFailed', 'WriteError')));
      const { errors, output, warnings } = await session.invoke(commandOf(cmdlet), itemsOf(cmdlet));
      expect(errors).toMatchObject([
        { id: `StorageFailed,${name}`, category: 'WriteError', terminating: false },
      ]);
      // Without -Detailed a test answers for each item, and what could not be looked at has not passed.
      const expected = cmdlet.output[0] === 'Boolean' ? [true, false, true] : [{}, {}];
      expect(output).toMatchObject(expected);
      expect(askedFirst(cmdlet)).toBe(3);
      expect(warnings).toHaveLength(changes ? 1 : 0);
      if (changes) {
        expect(warnings[0]).toMatch(
          /^2 done, 1 not done\.\n {2}not done: .*(item-2|SecureEmail).* \(StorageFailed\)/,
        );
        expect(warnings[0]?.match(/^ {2}done: /gm)).toHaveLength(2);
      }
    });

    if (!changes) return;
    it('that every further one would meet ends it, and says so', async () => {
      fake.script(answersOf(cmdlet, failure('PlatformDamaged', 'InvalidData')));
      const { errors, output, warnings } = await session.invoke(commandOf(cmdlet), itemsOf(cmdlet));
      expect(errors).toMatchObject([{ id: `PlatformDamaged,${name}`, terminating: true }]);
      expect(output).toHaveLength(1);
      expect(askedFirst(cmdlet)).toBe(2);
      expect(warnings).toEqual([
        expect.stringMatching(/^1 done, 1 not done\.\n {2}not done: .*\n {2}What would have come after .*\n/),
      ]);
    });

    it('ends it where the caller wants errors to stop, and says what was done', async () => {
      fake.script(answersOf(cmdlet, failure('StorageFailed', 'WriteError')));
      const { errors, warnings } = await session.invoke(
        `${commandOf(cmdlet)} -ErrorAction Stop`,
        itemsOf(cmdlet),
      );
      expect(errors).toMatchObject([{ id: `StorageFailed,${name}`, terminating: true }]);
      expect(warnings).toEqual([
        expect.stringMatching(/^1 done, 1 not done\.[^]*What would have come after/),
      ]);
    });
  });

  it('is not summed up where all went well, or nothing', async () => {
    const removal = cmdlets.find(({ name }) => name === 'Remove-SPMigrationArchive')!;
    const command = commandOf(removal);
    fake.script(answersOf(removal, undefined));
    expect((await session.invoke(command, itemsOf(removal))).warnings).toEqual([]);
    fake.script({ 'archive-remove:plan': [failure('StorageFailed', 'WriteError')] });
    const { errors, warnings } = await session.invoke(command, itemsOf(removal));
    expect([errors.length, warnings]).toEqual([3, []]);
  });

  it('may be a file that is not there, or no file at all', async () => {
    fake.script({
      'archive-remove:plan': [plan('p1', { target: 'the archive' })],
      'archive-remove:apply': [result('ArchiveRemoval', { path: '/a', archive: 'x' })],
    });
    const { errors, output, warnings } = await session.invoke(
      `'item-1', 'no-such*', 'Variable:x', 'item-3' | Remove-SPMigrationArchive -Force`,
    );
    expect(errors).toMatchObject([
      { id: 'FileNotFound,Remove-SPMigrationArchive', terminating: false },
      { id: 'ParameterInvalid,Remove-SPMigrationArchive', terminating: false },
    ]);
    expect(output).toHaveLength(2);
    expect(warnings[0]).toContain('2 done, 2 not done.');
    expect(warnings[0]).toContain('Variable:x (ParameterInvalid)');
  });

  it('names no more than twenty that were done: the results do', async () => {
    fake.script({
      'archive-remove:plan': [plan('p1', { target: 'the archive' })],
      'archive-remove:plan#25': [failure('StorageFailed', 'WriteError')],
      'archive-remove:apply': [result('ArchiveRemoval', { path: '/a', archive: 'x' })],
    });
    const { warnings } = await session.invoke(
      `1..25 | ForEach-Object { "/$_" } | Remove-SPMigrationArchive -Force`,
    );
    expect(warnings[0]?.match(/^ {2}done: the archive$/gm)).toHaveLength(20);
    expect(warnings[0]).toMatch(/ {2}done: 4 more, see the results$/);
  });

  it.each([
    ['Export-SPMigration -Path /out -Destination B -GrantPath Variable:x -Password $s'],
    ['Grant-SPMigrationAccess -LiteralPath /x -OwnerPassword $s -Force -AuthorityPath Variable:x'],
    ['Import-SPMigration -LiteralPath /x -Password $s -ReceiptPath Variable:x'],
    ['Test-SPMigration -Evidence Variable:x'],
    ['Test-SPMigration -Evidence no-such*'],
  ])('nothing is done without what the caller named: %s', async (command) => {
    fake.script({});
    const { errors, output } = await session.invoke(command);
    expect(errors).toMatchObject([{ terminating: true }]);
    expect(errors[0]?.id).toMatch(/^(ParameterInvalid|FileNotFound),/);
    expect(output).toEqual([]);
    expect(fake.core.pids()).toEqual([]);
  });

  /** How many times the first operation of a cmdlet was asked for. */
  function askedFirst({ operations: [first] }: Cmdlet): number {
    return fake.core.asked().filter(({ operation, mode }) => operation === first && mode !== 'apply').length;
  }
});

const NAMES = ['item-1', 'item-2', 'item-3'];

/** Three objects with every member that the cmdlet binds by name; features are one of the three there are. */
function itemsOf({ parameters }: Cmdlet): readonly Readonly<Record<string, string>>[] {
  const texts = parameters.filter(({ type }) => type === 'string' || type === 'string[]');
  const names = texts.filter((one) => one.fromPipelineByPropertyName && one.name !== 'LiteralPath');
  return NAMES.map((name) =>
    Object.fromEntries(
      names.map((one) => [one.name, one.values[0] ?? (one.name === 'GrantPath' ? '' : name)]),
    ),
  );
}

/** The pipeline, with secrets and what else it needs; confirmed. */
function commandOf(cmdlet: Cmdlet): string {
  const has = (name: string): boolean => cmdlet.parameters.some((one) => one.name === name);
  const output = cmdlet.parameters.some((one) => one.name === 'Path' && !comesByPipe(one));
  const options = [
    ...(output ? ['-Path /out'] : []),
    ...(has('Password') ? ['-Password $s'] : []),
    ...(has('OwnerPassword') ? ['-OwnerPassword $s'] : []),
    ...(cmdlet.impact === 'None' ? [] : ['-Confirm:$false']),
  ];
  return `$data | ${cmdlet.name} ${options.join(' ')}`;
}

/** Success for all that the cmdlet asks for, except for the second item where a failure is given. */
function answersOf(
  { operations, output, impact }: Cmdlet,
  second: Act | undefined,
): Readonly<Record<string, readonly Act[]>> {
  const [first = ''] = operations;
  const answers: Record<string, readonly Act[]> = {};
  for (const operation of operations) {
    const type = output.at(-1) as ResultTypeName;
    answers[operation] = [result(type, { ...sampleOf(type), thumbprint: null, uninstall: [] })];
    answers[`${operation}:plan`] = [plan('p1', { impact: impact === 'High' ? 'high' : 'medium' })];
  }
  answers['credential-install'] = [
    { record: { t: 'secret', name: 'pfx', bytes: 1 } },
    { raw: 'AA==' },
    result('InstallableCredential', { credential: 'x', label: 'x', thumbprint: 'AB' }),
  ];
  if (second !== undefined) {
    answers[`${first}:${first === 'credential-list' || impact === 'None' ? 'run' : 'plan'}#2`] = [second];
  }
  return answers;
}
