# The command of the real Microsoft.PowerShell.Archive that the test engine has, loaded on first use as in pwsh. See ../../README.md.
@{
    GUID              = 'eb74e8da-9ae2-482a-a648-e96550fb8733'
    ModuleVersion     = '1.0.1.0'
    Author            = 'SPMigration'
    Description       = 'Test doubles of stock cmdlets'
    PowerShellVersion = '5.1'
    NestedModules     = @('../../pshost.dll')
    FunctionsToExport = @()
    AliasesToExport   = @()
    CmdletsToExport   = @('Expand-Archive')
}
