# The commands of the real Microsoft.PowerShell.Management that the test engine has, loaded on first use as in pwsh. See ../../README.md.
@{
    GUID              = 'eefcb906-b326-4e99-9f54-8b4bb6ef3c6d'
    ModuleVersion     = '7.0.0.0'
    Author            = 'SPMigration'
    Description       = 'Test doubles of stock cmdlets'
    PowerShellVersion = '5.1'
    NestedModules     = @('../../pshost.dll')
    FunctionsToExport = @()
    AliasesToExport   = @()
    CmdletsToExport   = @(
        'Add-Content',
        'Clear-Content',
        'Convert-Path',
        'Copy-Item',
        'Get-ChildItem',
        'Get-Content',
        'Get-Item',
        'Get-Location',
        'Join-Path',
        'Move-Item',
        'New-Item',
        'Pop-Location',
        'Push-Location',
        'Remove-Item',
        'Rename-Item',
        'Resolve-Path',
        'Set-Content',
        'Set-Location',
        'Split-Path',
        'Test-Path'
    )
}
