/**
 * Every example of the help runs: against a fake core that answers all operations, with the variables, files and answers that
 * the example speaks of, and without an error. What the examples do with a real core is shown in pipelines.test.ts.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cmdlets } from '../../psmodule/schema/cmdlets.ts';
import type { ResultTypeName } from '../../psmodule/schema/results.ts';
import type { Act } from '../testkit/fake-core.ts';
import { makeFakeModule, plan, result, type FakeModule } from '../testkit/fake-module.ts';
import { openSession, type PowerShellSession } from '../testkit/powershell-session.ts';
import { havePowerShell } from '../testkit/powershell.ts';
import { sampleOf } from '../testkit/result-samples.ts';

const FILES = [
  'fleet/Contoso.spauthority.pub',
  'fleet/Contoso.sprevoked',
  'identities/PC-B.spid',
  'archives/anna@PC-B.sparc',
  'anna@PC-B.sparc',
  'PC-B.spid',
  'anna.pfx',
  'anna.cer',
];

describe.skipIf(!havePowerShell())('example of the help of', { timeout: 120_000 }, () => {
  let fake: FakeModule;
  let session: PowerShellSession;
  let examples: ReadonlyMap<string, readonly string[]>;

  beforeAll(async () => {
    fake = await makeFakeModule();
    for (const file of FILES) {
      mkdirSync(join(fake.folder, 'here', file, '..'), { recursive: true });
      writeFileSync(join(fake.folder, 'here', file), '');
    }
    writeFileSync(join(fake.folder, 'here/fingerprints.csv'), 'Path,Fingerprint,User\nPC-B.spid,0123,anna\n');
    session = await openSession();
    const { output } = await session.invoke<{ name: string; code: string[] }>(
      `Import-Module -Name $data.manifest
       Set-Location -LiteralPath $data.here
       $owner = $password = $pfxPassword = [securestring]::new()
       $password.AppendChar('x')
       function Read-Host { $password }
       $ConfirmPreference = 'None' # the person agrees
       foreach ($command in Get-Command -Module SPMigration) {
           @{ name = $command.Name; code = @((Get-Help -Name $command.Name).examples.example | ForEach-Object code) }
       }`,
      { manifest: fake.manifest, here: join(fake.folder, 'here') },
    );
    examples = new Map(output.map(({ name, code }) => [name, code]));
  });
  afterAll(async () => {
    await session.close();
    fake.remove();
  });

  it.each(cmdlets.map(({ name }) => name))('%s', async (name) => {
    const texts = examples.get(name) ?? [];
    expect(texts.length).toBeGreaterThanOrEqual(1);
    for (const text of texts) {
      expect(text).toContain(name);
      fake.script(answersToEverything());
      const { errors } = await session.invoke(here(text));
      // This test's store has no protection, and the example does not accept that.
      expect(
        errors.filter(({ id }) => id !== 'StoreUnprotected,Install-SPMigrationCredential'),
        text,
      ).toEqual([]);
      const asked = fake.core.asked().map(({ operation }) => operation);
      const own = cmdlets.find((cmdlet) => cmdlet.name === name)!.operations;
      expect(
        asked.some((operation) => own.includes(operation)),
        `${text} asked for ${asked.join()}`,
      ).toBe(true);
    }
  });
});

/** The example with the test's own places instead of a server, a vault and a Windows store. */
function here(text: string): string {
  return text
    .replaceAll(/\\\\srv\\(\w+)/g, './$1')
    .replaceAll(/[DE]:\\(Vault)?/g, './archives')
    .replaceAll(
      'Get-ChildItem Cert:\\CurrentUser\\My',
      'Get-SPMigrationStatus | ForEach-Object { "anna.pfx" }',
    );
}

/** Plausible values for every operation; a cmdlet that can change something gets a plan first. */
function answersToEverything(): Readonly<Record<string, readonly Act[]>> {
  const answers: Record<string, readonly Act[]> = {};
  for (const { operations, impact, output } of cmdlets) {
    const type = output.at(-1);
    if (type === undefined || type === 'Boolean') continue;
    for (const operation of operations) {
      answers[operation] = [result(type, sample(type))];
      if (impact !== 'None') answers[`${operation}:plan`] = [plan('p1')];
    }
  }
  // Asked for by Install- as well, which changes something, but not through them.
  delete answers['credential-list:plan'];
  answers['credential-list'] = ['Retained', 'SetAside'].map((state) =>
    result('Credential', { ...sample('Credential'), state }),
  );
  const pfx = 'AA==';
  answers['credential-install'] = [
    { record: { t: 'secret', name: 'pfx', bytes: 1 } },
    { raw: pfx },
    {
      record: {
        t: 'error',
        code: 'StoreUnprotected',
        category: 'NotImplemented',
        message: 'x',
        hint: 'x',
        target: null,
      },
    },
  ];
  return answers;
}

function sample(type: ResultTypeName): Readonly<Record<string, unknown>> {
  return sampleOf(type, TEXTS);
}

/** Texts on which examples filter, and files that they pass on. */
const TEXTS: Readonly<Record<string, string>> = {
  feature: 'Efs',
  operation: 'access-grant',
  path: 'anna@PC-B.sparc',
  proof: 'Claimed',
};
