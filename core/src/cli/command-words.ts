/**
 * Hints in the words of the command line. The catalogue speaks PowerShell, as most readers do; here its cmdlets become
 * commands and its parameters options. A test compares the table with the module's and with the commands there are.
 */
import type { CommandName } from './commands.ts';

/** What each cmdlet that hints name is called here. */
export const commandOfCmdlet: Readonly<Record<string, CommandName>> = {
  'Add-SPMigrationCredential': 'credential-add',
  'Add-SPMigrationRevocation': 'revocation-add',
  'Complete-SPMigrationCredential': 'credential-complete',
  'Disable-SPMigrationFeature': 'feature-disable',
  'Enable-SPMigrationFeature': 'feature-enable',
  'Export-SPMigration': 'export',
  'Export-SPMigrationIdentity': 'identity-export',
  'Get-SPMigrationAccess': 'access-list',
  'Get-SPMigrationArchive': 'archive-read',
  'Get-SPMigrationCredential': 'credential-list',
  'Get-SPMigrationFeature': 'feature-list',
  'Get-SPMigrationHistory': 'history',
  'Get-SPMigrationIdentity': 'identity-read',
  'Get-SPMigrationStatus': 'status',
  'Grant-SPMigrationAccess': 'access-grant',
  'Import-SPMigration': 'import',
  'Initialize-SPMigrationPlatform': 'platform-initialize',
  'Initialize-SPMigrationUser': 'user-initialize',
  'New-SPMigrationAuthority': 'authority-new',
  'New-SPMigrationChallenge': 'challenge-new',
  'New-SPMigrationCredential': 'credential-new',
  'Remove-SPMigrationArchive': 'archive-remove',
  'Remove-SPMigrationCredential': 'credential-remove',
  'Remove-SPMigrationUser': 'user-remove',
  'Revoke-SPMigrationAccess': 'access-revoke',
  'Set-SPMigrationOwnerPassword': 'authority-password',
  'Set-SPMigrationPassword': 'user-password',
  'Test-SPMigration': 'platform-test',
  'Test-SPMigrationArchive': 'archive-test',
  'Undo-SPMigration': 'undo',
};

/** `-Password (command line: --password-stdin)`, also with alternatives joined by "or". */
const twin = /-[A-Z]\w*(?::\$\w+)?(?: or -[A-Z]\w*(?::\$\w+)?)* \(command line: ([^)]+)\)/g;
const cmdlet = /\b[A-Z][a-z]+-SPMigration[A-Za-z]*/g;
const parameter = /(?<=^|[\s(])-([A-Z][A-Za-z]+)/g;

/** A text of the catalogue or of a plan as the command line says it. */
export function inCommandWords(text: string): string {
  return text
    .replace(twin, '$1')
    .replace(cmdlet, (name) => {
      const command = commandOfCmdlet[name];
      return command === undefined ? name : `spmigration ${command}`;
    })
    .replace(parameter, (_, name: string) => `--${kebab(name.charAt(0).toLowerCase() + name.slice(1))}`);
}

/** `validUntil` → `valid-until`. */
export function kebab(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
