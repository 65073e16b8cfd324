/** Hints on the command line name its own commands and options, and only such as there are. */
import { describe, expect, it } from 'vitest';
import { commandOfCmdlet, inCommandWords, kebab } from '../../../core/src/cli/command-words.ts';
import { commandSummaries } from '../../../core/src/cli/commands.ts';
import { askable } from '../../../core/src/cli/perform.ts';
import { errorCatalogue, type ErrorCode } from '../../../core/src/domain/error-catalogue.ts';
import { findOperation } from '../../../core/src/operations/registry.ts';
import { cmdlets } from '../../../psmodule/schema/cmdlets.ts';

/** Errors of the module alone, and of the certificate store, which no command can meet. */
const moduleOnly: readonly ErrorCode[] = ['KeyNotExportable', 'StoreUnprotected'];

describe('a hint in the words of the command line', () => {
  it('names the option that stands beside the parameter', () => {
    expect(inCommandWords('Pass -Password (command line: --password-stdin).')).toBe('Pass --password-stdin.');
    expect(inCommandWords('or pass -Confirm:$false or -Force (command line: --yes).')).toBe('or pass --yes.');
  });

  it('names the command of a cmdlet and the options of its parameters', () => {
    expect(inCommandWords('Use -AllowReplace; see Get-SPMigrationStatus.')).toBe(
      'Use --allow-replace; see spmigration status.',
    );
  });

  it('knows every cmdlet that has a command, by the operation that the module asks for', () => {
    const expected = cmdlets
      .map(({ name, operations }) => [name, operations.find((one) => one in commandSummaries)] as const)
      .filter(([, command]) => command !== undefined);
    for (const [name, command] of expected) {
      if (name === 'Install-SPMigrationCredential') continue; // its command is the list it begins with
      expect([name, commandOfCmdlet[name]]).toEqual([name, command]);
    }
  });

  it('names only options that some command has', () => {
    const options = new Set(['--help', '--yes', '--overwrite']);
    for (const command of Object.keys(commandSummaries)) {
      const entry = findOperation(command);
      for (const name of Object.keys(entry?.parameters ?? {})) options.add(`--${kebab(name)}`);
      for (const secret of entry?.secrets ?? [])
        if (askable.some((one) => one === secret)) options.add(`--${kebab(secret)}-stdin`);
    }
    for (const [code, { hint }] of Object.entries(errorCatalogue)) {
      if (moduleOnly.some((one) => one === code)) continue;
      const said = inCommandWords(hint);
      expect([code, said]).not.toEqual([code, expect.stringMatching(/SPMigration[A-Z]| -[A-Z]/)]);
      const unknown = (said.match(/--[a-z-]+/g) ?? []).filter((option) => !options.has(option));
      expect([code, unknown]).toEqual([code, []]);
    }
  });
});
