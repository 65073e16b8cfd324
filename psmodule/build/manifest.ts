/**
 * The module's manifest. All export lists are explicit, so that PowerShell finds the cmdlets without loading the module,
 * and there is no HelpInfoUri: a dead one makes `Update-Help` complain on every computer.
 */
import { cmdlets } from '../schema/cmdlets.ts';
import { quote } from './tables.ts';

const DESCRIPTION =
  "Moves a person's security environment (keys, certificates and their settings) from one computer to another so that " +
  'nobody can do it alone: the owner decides where keys may go, the person decides that they go. Not for SharePoint.';

export function renderManifest(version: string): string {
  return `@{
    RootModule = 'SPMigration.psm1'
    ModuleVersion = ${quote(version)}
    GUID = '5d1c1a52-6f3e-4c0b-9a55-3f6a7d1b8e24'
    Author = 'The SPMigration authors'
    CompanyName = 'SPMigration'
    Copyright = '(c) The SPMigration authors. MIT License.'
    Description = ${quote(DESCRIPTION)}
    PowerShellVersion = '5.1'
    CompatiblePSEditions = @('Desktop', 'Core')
    DotNetFrameworkVersion = '4.7.2'
    FormatsToProcess = @('SPMigration.format.ps1xml')
    FunctionsToExport = @(
${cmdlets.map(({ name }) => `        ${quote(name)}`).join('\n')}
    )
    CmdletsToExport = @()
    VariablesToExport = @()
    AliasesToExport = @()
    PrivateData = @{
        PSData = @{
            Tags = @('Security', 'Migration', 'Certificate', 'TPM', 'SecurityPlatform', 'Windows', 'Linux')
        }
    }
}
`;
}
