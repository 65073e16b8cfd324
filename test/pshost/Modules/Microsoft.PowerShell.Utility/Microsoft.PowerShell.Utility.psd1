# The commands of the real Microsoft.PowerShell.Utility that the test engine has, loaded on first use as in pwsh. See ../../README.md.
@{
    GUID              = '1da87e53-152b-403e-98dc-74d7b4d63d59'
    ModuleVersion     = '7.0.0.0'
    Author            = 'SPMigration'
    Description       = 'Test doubles of stock cmdlets'
    PowerShellVersion = '5.1'
    NestedModules     = @('../../pshost.dll')
    FunctionsToExport = @()
    AliasesToExport   = @()
    CmdletsToExport   = @(
        'Add-Member',
        'Add-Type',
        'ConvertFrom-Csv',
        'ConvertFrom-Json',
        'ConvertTo-Csv',
        'ConvertTo-Json',
        'Export-Csv',
        'Format-Custom',
        'Format-List',
        'Format-Table',
        'Format-Wide',
        'Get-Date',
        'Get-FileHash',
        'Get-Host',
        'Get-Member',
        'Get-Variable',
        'Group-Object',
        'Import-Csv',
        'Import-PowerShellDataFile',
        'Invoke-Expression',
        'Measure-Object',
        'New-Guid',
        'New-Object',
        'New-TimeSpan',
        'Out-File',
        'Out-String',
        'Read-Host',
        'Remove-Variable',
        'Select-Object',
        'Set-Alias',
        'Set-Variable',
        'Sort-Object',
        'Start-Sleep',
        'Unblock-File',
        'Write-Debug',
        'Write-Error',
        'Write-Host',
        'Write-Information',
        'Write-Output',
        'Write-Progress',
        'Write-Verbose',
        'Write-Warning'
    )
}
