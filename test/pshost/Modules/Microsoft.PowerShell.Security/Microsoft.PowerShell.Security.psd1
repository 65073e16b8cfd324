# The commands of the real Microsoft.PowerShell.Security that the test engine has, loaded on first use as in pwsh. See ../../README.md.
@{
    GUID              = 'a94c8c7e-9810-47c0-b8af-65089c13a35a'
    ModuleVersion     = '7.0.0.0'
    Author            = 'SPMigration'
    Description       = 'Test doubles of stock cmdlets'
    PowerShellVersion = '5.1'
    NestedModules     = @('../../pshost.dll')
    FunctionsToExport = @()
    AliasesToExport   = @()
    CmdletsToExport   = @(
        'ConvertFrom-SecureString',
        'ConvertTo-SecureString',
        'Get-Credential',
        'Get-ExecutionPolicy',
        'Set-ExecutionPolicy'
    )
}
