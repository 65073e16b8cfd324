/**
 * What the module promises to scripts: the functions are exactly those of the schema, with their parameters, sets, pipeline
 * binding, impacts and output types; each has complete help; types, views and error ids agree with schema and catalogue; and
 * the built script keeps the rules for Windows PowerShell 5.1 (design page 4, rules 7 and 8). Read from the built module by
 * the engine itself.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { errorCatalogue } from '../../core/src/domain/error-catalogue.ts';
import { cmdlets } from '../../psmodule/schema/cmdlets.ts';
import { endingErrors, moduleErrors } from '../../psmodule/schema/errors.ts';
import type { Parameter } from '../../psmodule/schema/parameters.ts';
import { propertyName, resultTypes } from '../../psmodule/schema/results.ts';
import { makeFakeModule, type FakeModule } from '../testkit/fake-module.ts';
import { openSession, type PowerShellSession } from '../testkit/powershell-session.ts';
import { haveHost } from '../testkit/powershell.ts';
import { checkScripts, type ScriptReport } from '../testkit/script-check.ts';

/** What Get-Command says of one function. */
interface Command {
  readonly name: string;
  readonly impact: string;
  readonly shouldProcess: boolean;
  readonly defaultSet: string;
  readonly output: readonly string[];
  readonly parameters: readonly Parameter[];
}

const READ_COMMANDS = String.raw`
foreach ($command in Get-Command -Module SPMigration) {
    $metadata = [System.Management.Automation.CommandMetadata]::new($command)
    $common = [System.Management.Automation.Internal.CommonParameters].GetProperties().Name + 'WhatIf', 'Confirm', 'ProgressAction'
    @{
        name = $command.Name
        impact = [string]$metadata.ConfirmImpact
        shouldProcess = $metadata.SupportsShouldProcess
        defaultSet = [string]$command.DefaultParameterSet
        output = @($command.OutputType | ForEach-Object Name)
        parameters = @(foreach ($parameter in $command.Parameters.Values | Where-Object Name -notin $common) {
            $attributes = @($parameter.Attributes | Where-Object { $_ -is [System.Management.Automation.ParameterAttribute] })
            $values = @($parameter.Attributes | Where-Object { $_ -is [System.Management.Automation.ValidateSetAttribute] } | ForEach-Object ValidValues)
            @{
                name = $parameter.Name
                type = $parameter.ParameterType.FullName
                mandatory = $attributes[0].Mandatory
                position = $attributes[0].Position
                fromPipeline = $attributes[0].ValueFromPipeline
                fromPipelineByPropertyName = $attributes[0].ValueFromPipelineByPropertyName
                sets = @($attributes | ForEach-Object ParameterSetName | Where-Object { $_ -ne '__AllParameterSets' })
                aliases = @($parameter.Aliases)
                values = $values
            }
        })
    }
}`;

/** .NET's names of the types that the schema spells as PowerShell does. */
const TYPE_NAMES: Readonly<Record<string, string>> = {
  string: 'System.String',
  'string[]': 'System.String[]',
  switch: 'System.Management.Automation.SwitchParameter',
  int: 'System.Int32',
  datetime: 'System.DateTime',
  securestring: 'System.Security.SecureString',
};

const NO_POSITION = -2147483648;

describe.skipIf(!haveHost())('module', () => {
  let fake: FakeModule;
  let session: PowerShellSession;
  let commands: readonly Command[];
  let script: string;
  let report: ScriptReport;

  beforeAll(async () => {
    fake = await makeFakeModule();
    session = await openSession();
    await session.invoke('Import-Module -Name $data', fake.manifest);
    commands = (await session.invoke<Command>(READ_COMMANDS)).output;
    const path = fake.manifest.replace('.psd1', '.psm1');
    script = readFileSync(path, 'utf8');
    [report] = (await checkScripts([path])) as [ScriptReport];
  });
  afterAll(async () => {
    await session.close();
    fake.remove();
  });

  it('exports the functions of the schema and nothing else', async () => {
    expect(commands.map(({ name }) => name).sort()).toEqual(cmdlets.map(({ name }) => name).sort());
    const { output } = await session.invoke(
      '$m = Get-Module SPMigration; $m.ExportedVariables.Count + $m.ExportedAliases.Count + $m.ExportedCmdlets.Count',
    );
    expect(output).toEqual([0]);
  });

  it('has a valid manifest for both editions', async () => {
    const { output, errors } = await session.invoke(
      `$m = Test-ModuleManifest -Path $data
       [string]$m.PowerShellVersion; $m.CompatiblePSEditions -join ','; [string]$m.DotNetFrameworkVersion`,
      fake.manifest,
    );
    expect(errors).toEqual([]);
    expect(output).toEqual(['5.1', 'Desktop,Core', '4.7.2']);
  });

  it('uses approved verbs and singular nouns of its own', async () => {
    const { output: verbs } = await session.invoke<string>(
      `[System.Management.Automation.VerbsCommon], [System.Management.Automation.VerbsData],
       [System.Management.Automation.VerbsLifecycle], [System.Management.Automation.VerbsSecurity],
       [System.Management.Automation.VerbsDiagnostic] | ForEach-Object { $_.GetFields().Name }`,
    );
    for (const { name } of cmdlets) {
      expect(verbs, name).toContain(name.split('-')[0]);
      expect(name).toMatch(/-SPMigration[A-Za-z]*$/);
      expect(name).not.toMatch(/[^su]s$/);
    }
  });

  describe.each(cmdlets.map((cmdlet) => [cmdlet.name, cmdlet] as const))('%s', (name, cmdlet) => {
    const command = () => commands.find((one) => one.name === name)!;

    it('is as the schema says', () => {
      const found = command();
      expect(found.shouldProcess).toBe(cmdlet.impact !== 'None');
      if (cmdlet.impact !== 'None') expect(found.impact).toBe(cmdlet.impact);
      expect(found.defaultSet).toBe(cmdlet.defaultSet ?? '');
      expect(found.output).toEqual(
        cmdlet.output.map((type) => (type === 'Boolean' ? 'System.Boolean' : `SPMigration.${type}`)),
      );
      expect(found.parameters).toEqual(
        cmdlet.parameters.map((parameter) => ({
          ...parameter,
          type: TYPE_NAMES[parameter.type] ?? parameter.type,
          position: parameter.position ?? NO_POSITION,
        })),
      );
    });

    it('asks only for operations that the schema names', () => {
      const own = functionText(script, name);
      const direct = [...own.matchAll(/-Operation '([a-z-]+)'/g)].map((match) => match[1]);
      for (const operation of direct) expect(cmdlet.operations).toContain(operation);
      const anywhere = new Set([...script.matchAll(/-Operation '([a-z-]+)'/g)].map((match) => match[1]));
      for (const operation of cmdlet.operations) expect(anywhere).toContain(operation);
    });

    it('takes secrets only as SecureString, never mandatory', () => {
      for (const parameter of cmdlet.parameters) {
        if (parameter.type === 'securestring') expect(parameter.mandatory, parameter.name).toBe(false);
        // Files that stand for a password, and how old one may be, are none themselves; a switch holds nothing.
        const speaksOfOne = /password|code|secret/i.test(parameter.name);
        if (!speaksOfOne || /(File|Path|AgeDays)$/.test(parameter.name) || parameter.type === 'switch')
          continue;
        expect(parameter.type, parameter.name).toBe('securestring');
      }
    });

    it('has complete help', () => {
      const help = report.functions.find((one) => one.name === name)!;
      expect(help.synopsis?.trim()).toMatch(/^[A-Z].*\.$/s);
      expect(help.description?.length).toBeGreaterThan(60);
      expect(help.examples).toBeGreaterThanOrEqual(1);
      expect([...help.helpParameters].sort()).toEqual(
        cmdlet.parameters.map((parameter) => parameter.name.toUpperCase()).sort(),
      );
      expect(functionText(script, name)).toMatch(/\.OUTPUTS[\s\S]*\.LINK/);
    });
  });

  it('makes errors only from the catalogue, with its words', async () => {
    const used = [...script.matchAll(/-Code '([A-Za-z]+)'/g)].map((match) => match[1]!);
    const known = new Set<string>(moduleErrors);
    expect([...new Set(used)].filter((code) => !known.has(code))).toEqual([]);
    expect(moduleErrors.filter((code) => !used.includes(code))).toEqual([]);
    for (const code of [...moduleErrors, ...endingErrors])
      expect(Object.keys(errorCatalogue)).toContain(code);
    const { output } = await session.invoke<string>(
      `& (Get-Module SPMigration) { (Get-SPErrorText -Code 'CoreNotFound')['Message'] }`,
    );
    expect(output).toEqual([errorCatalogue.CoreNotFound.message]);
  });

  it('shows each type in a table of three to six columns that fit 80 characters, dates in UTC', async () => {
    for (const [name, type] of Object.entries(resultTypes)) {
      const properties = Object.keys(type.fields).map(propertyName);
      for (const { property } of type.columns) expect(properties, name).toContain(property);
      expect(type.columns.length, name).toBeGreaterThanOrEqual(Math.min(3, properties.length));
      expect(type.columns.length, name).toBeLessThanOrEqual(6);
      // A console of 80 characters: no heading is broken, and what has no width (the last column at most) has room.
      for (const { property, label = property, width } of type.columns)
        expect(width ?? label.length, `${name}.${property}`).toBeGreaterThanOrEqual(label.length);
      const taken = type.columns.reduce((sum, { width = 0 }) => sum + width + 1, -1);
      const open = type.columns.filter(({ width }) => width === undefined);
      expect(taken, name).toBeLessThanOrEqual(79);
      expect(
        open.map(({ property }) => property),
        name,
      ).toEqual(taken < 68 ? [type.columns.at(-1)?.property] : []);
      for (const { property, label = property } of open)
        expect(79 - taken, `${name}.${property}`).toBeGreaterThanOrEqual(label.length);
    }
    const { output, errors } = await session.invoke<string>(
      `$o = [pscustomobject]@{ PSTypeName = 'SPMigration.Identity'; Computer = 'PC-B'; Chip = 'tpm2'; Proof = 'Claimed'
           Fingerprint = '0123'; Created = [datetime]::new(2026, 11, 24, 6, 0, 0, [System.DateTimeKind]::Utc) }
       ($o | Format-Table | Out-String).Trim() -split '\\r?\\n' | Select-Object -First 1
       ($o | Format-List | Out-String) -match 'Created\\s+: 2026-11-24 06:00:00Z'`,
    );
    expect(errors).toEqual([]);
    expect(output).toEqual([expect.stringMatching(/^Computer +Fingerprint +Proof$/), true]);
  });

  it.each(['about_SPMigration', 'about_SPMigration_Fleet', 'about_SPMigration_GroupPolicy'])(
    'has the topic %s',
    (name) => {
      const topic = readFileSync(join(fake.manifest, `../en-US/${name}.help.txt`), 'utf8');
      // The form by which Get-Help knows a topic.
      expect(topic.startsWith(`TOPIC\n    ${name}\n\nSHORT DESCRIPTION\n    `)).toBe(true);
      const known = new Set(cmdlets.map((cmdlet) => cmdlet.name));
      const named = [...topic.matchAll(/\b[A-Z][a-z]+-SPMigration[A-Za-z]*/g)].map(([word]) => word);
      expect(named.filter((word) => !known.has(word))).toEqual([]);
      const codes = [...topic.matchAll(/\b(?:is|are|and|as|id is|or) ([A-Z][a-z]+(?:[A-Z][a-z]+)+)\b/g)].map(
        (match) => match[1]!,
      );
      const words = new Set([
        'PowerShell',
        'ForEach',
        'SecureStrings',
        'LocalSystem',
        'AllSigned',
        'SecureString',
        ...Object.keys(errorCatalogue),
      ]);
      expect(codes.filter((code) => !words.has(code))).toEqual([]);
    },
  );

  describe('script', () => {
    it('is ASCII in the syntax of 5.1', () => {
      expect(report.parseErrors).toEqual([]);
      expect(report.nonAscii).toEqual([]);
      expect(report.newerThan51).toEqual([]);
    });

    it('calls only commands of Microsoft.PowerShell.Core and its own functions', () => {
      const others = report.commands.filter(({ kind }) => kind === 'other').map(({ name }) => name);
      // In Constrained Language nothing else may make an error record; see Assert-SPFullLanguage.
      expect(others).toEqual(['Microsoft.PowerShell.Utility\\Write-Error']);
      expect(report.dynamicCommands).toEqual([]);
    });

    it('calls its own functions with parameters that they have', async () => {
      // Private functions are simple ones, because those are called three times as fast; they would take any name.
      const { output } = await session.invoke<string>(
        `$ast = [System.Management.Automation.Language.Parser]::ParseFile($data, [ref]$null, [ref]$null)
         $functions = @{}
         $ast.FindAll({ $args[0] -is [System.Management.Automation.Language.FunctionDefinitionAst] }, $true) | ForEach-Object {
             $block = $_.Body.ParamBlock
             $functions[$_.Name] = @(if ($block) { $block.Parameters | ForEach-Object { $_.Name.VariablePath.UserPath } }) }
         $calls = $ast.FindAll({ $args[0] -is [System.Management.Automation.Language.CommandAst] }, $true)
         $checked = 0
         foreach ($call in $calls | Where-Object { $functions.ContainsKey([string]$_.GetCommandName()) }) {
             $checked++
             foreach ($element in $call.CommandElements) {
                 $isName = $element -is [System.Management.Automation.Language.CommandParameterAst]
                 if ($isName -and $element.ParameterName -notin $functions[$call.GetCommandName()]) { $element.Extent.Text }
                 if (-not $isName -and $element -ne $call.CommandElements[0] -and $element.Parent -eq $call) {
                     $before = $call.CommandElements[$call.CommandElements.IndexOf($element) - 1]
                     $splatted = $element -is [System.Management.Automation.Language.VariableExpressionAst] -and $element.Splatted
                     $named = $before -is [System.Management.Automation.Language.CommandParameterAst]
                     if (-not $named -and -not $splatted) { "by place: $($element.Extent.Text)" }
                 }
             }
         }
         if ($checked -lt 100) { "only $checked calls" }`,
        report.file,
      );
      expect(output).toEqual([]);
    });

    it('names only types and members of .NET Framework 4.7.2', () => {
      expect(report.types.filter(({ found }) => !found)).toEqual([]);
      expect(report.members.filter(({ found }) => !found)).toEqual([]);
    });

    it('loads the one assembly that Windows PowerShell has not loaded', () => {
      const loaded = ['mscorlib', 'System', 'System.Core', 'System.Xml', 'System.Management.Automation'];
      const others = report.types.filter(({ assembly }) => assembly !== null && !loaded.includes(assembly));
      expect([...new Set(others.map(({ assembly }) => assembly))]).toEqual(['System.Runtime.Serialization']);
      expect([...new Set(others.map(({ line }) => enclosingFunction(script, line)))]).toEqual([
        'ConvertFrom-SPJson',
      ]);
    });

    it('knows the protocol in one file only', () => {
      const readers = report.functions
        .map(({ name }) => name)
        .filter((name) => functionText(script, name).includes("$record['"));
      expect(readers).toEqual(['Receive-SPAnswer']);
      const writers = report.functions
        .map(({ name }) => name)
        .filter((name) => functionText(script, name).includes('cmd ='));
      expect(writers).toEqual(['Invoke-SPCore']);
    });
  });
});

/** The text of one function, up to the brace that closes it at the beginning of a line. */
function functionText(script: string, name: string): string {
  const start = script.indexOf(`\nfunction ${name} {`);
  return script.slice(start, script.indexOf('\n}\n', start));
}

/** The function in which a line stands. */
function enclosingFunction(script: string, line: number): string | undefined {
  const before = script.split('\n').slice(0, line);
  return before
    .map((one) => /^function ([\w-]+) \{/.exec(one)?.[1])
    .filter((one) => one !== undefined)
    .at(-1);
}
