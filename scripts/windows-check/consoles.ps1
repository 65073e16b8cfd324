# Sections D and E: consoles and their code pages, and the programs that cmdlets start.

# The base64 of a text's UTF-8: it comes through every console as it was.
function ConvertTo-CheckBase64 {
    param(
        [string]
        $Text
    )
    [System.Convert]::ToBase64String([System.Text.Encoding]::UTF8.GetBytes($Text))
}

Add-CheckRow -No 'D1' -What 'names and passwords in consoles of other code pages' -Run {
    param($Check)
    $folder = New-CheckFolder -Check $Check -Name 'D1'
    $name = "J$([char]0xf6)rg $([char]0x65e5)$([char]0x672c)"
    foreach ($codePage in 437, 850, 65001) {
        $ran = Invoke-CheckLines -CodePage $codePage -Environment @{
            SPMIGRATION_HOME = "$folder\PC-$codePage"; CHECK_MODULE = "$($Check.Base)\SPMigration.psd1"
            CHECK_NAME = (ConvertTo-CheckBase64 -Text $name); CHECK_PASSWORD = (ConvertTo-CheckBase64 -Text $script:CheckPasswordText)
        } -Lines @'
"codepage=$([Console]::InputEncoding.CodePage)"
Import-Module -Name $env:CHECK_MODULE
$read = { [Text.Encoding]::UTF8.GetString([Convert]::FromBase64String($args[0])) }
$secret = [Security.SecureString]::new()
foreach ($one in (& $read $env:CHECK_PASSWORD).ToCharArray()) { $secret.AppendChar($one) }
$null = Initialize-SPMigrationPlatform -Chip Software -OwnerPassword $secret
$null = Initialize-SPMigrationUser -Password $secret
$null = New-SPMigrationCredential -Subject (& $read $env:CHECK_NAME) -Algorithm P-256 -Password $secret
"name=$([Convert]::ToBase64String([Text.Encoding]::UTF8.GetBytes((Get-SPMigrationCredential).Label)))"
'@
        if ($ran.Values['codepage'] -ne $codePage) {
            Stop-CheckRow -Why "the console of code page $codePage has code page '$($ran.Values['codepage'])' $($ran.Problem)"
        }
        Assert-Check -That "it ended in code page ${codePage}: $($ran.Problem)" -Is $ran.Ended
        Assert-CheckEqual -What "the name in code page $codePage" -Is $ran.Values['name'] -Expected (ConvertTo-CheckBase64 -Text $name)
        # The password that arrived is the one that is written here: another process opens with it.
        Enter-CheckComputer -Folder $folder -Name "PC-$codePage"
        $null = New-SPMigrationCredential -Subject 'Anna' -Algorithm P-256 -Password $script:CheckPassword
        "code page $codePage"
    }
}

Add-CheckRow -No 'D2' -What 'output of the executable' -Run {
    param($Check)
    $folder = New-CheckFolder -Check $Check -Name 'D2'
    New-CheckComputer -Folder $folder -Name 'PC-A' -User
    $name = "J$([char]0xf6)rg $([char]0x65e5)$([char]0x672c)"
    $null = New-SPMigrationCredential -Subject $name -Algorithm P-256 -Password $script:CheckPassword
    foreach ($codePage in 437, 850, 65001) {
        $ran = Invoke-CheckLines -CodePage $codePage -Environment @{ CHECK_PROGRAM = $Check.Executable } -Lines @'
"codepage=$([Console]::OutputEncoding.CodePage)"
[Console]::OutputEncoding = [Text.UTF8Encoding]::new($false)
$found = & $env:CHECK_PROGRAM credential-list --json | ConvertFrom-Json
"name=$([Convert]::ToBase64String([Text.Encoding]::UTF8.GetBytes($found.label)))"
'@
        if ($ran.Values['codepage'] -ne $codePage) {
            Stop-CheckRow -Why "the console of code page $codePage has code page '$($ran.Values['codepage'])' $($ran.Problem)"
        }
        Assert-Check -That "it ended in code page ${codePage}: $($ran.Problem)" -Is $ran.Ended
        Assert-CheckEqual -What "the name in code page $codePage" -Is $ran.Values['name'] -Expected (ConvertTo-CheckBase64 -Text $name)
        "code page $codePage"
    }
}

Add-CheckRow -No 'E1' -What 'no program is left behind a pipeline that ends early' -Run {
    param($Check)
    New-CheckComputer -Folder (New-CheckFolder -Check $Check -Name 'E1') -Name 'PC-A' -User
    foreach ($subject in 'Anna', 'Ben', 'Clara') {
        $null = New-SPMigrationCredential -Subject $subject -Algorithm P-256 -Password $script:CheckPassword
    }
    $null = Wait-CheckChildren -Check $Check
    $seen = 0
    $watch = [System.Diagnostics.Stopwatch]::StartNew()
    $null = 'Anna', 'Ben', 'Clara' | Get-SPMigrationCredential | ForEach-Object {
        $seen += @(Get-CheckChild -Check $Check).Count
        $_
    } | Select-Object -First 1
    $prompt = $watch.ElapsedMilliseconds
    if ($seen -eq 0) {
        Stop-CheckRow -Why 'no spmigration.exe was seen while the pipeline ran'
    }
    "Select-Object -First 1: the prompt after $prompt ms, nothing left after $(Wait-CheckChildren -Check $Check) s"
    $seen = 0
    $thrown = ''
    try {
        'Anna', 'Ben' | Get-SPMigrationCredential | ForEach-Object {
            $seen += @(Get-CheckChild -Check $Check).Count
            throw [System.NotSupportedException]::new('thrown on purpose')
        }
    } catch {
        # The engine wraps what is thrown behind a function that writes.
        $thrown = $_.Exception.GetBaseException().Message
    }
    Assert-CheckEqual -What 'what was thrown' -Is $thrown -Expected 'thrown on purpose'
    Assert-Check -That 'spmigration.exe ran when it was thrown' -Is ($seen -gt 0)
    "a throw: nothing left after $(Wait-CheckChildren -Check $Check) s"
}

Add-CheckRow -No 'E2' -What 'a stop in the middle of a change, as by Ctrl+C' -Run {
    param($Check)
    New-CheckComputer -Folder (New-CheckFolder -Check $Check -Name 'E2') -Name 'PC-A' -User
    $null = Wait-CheckChildren -Check $Check
    $shell = New-CheckShell
    $null = $shell.AddScript('param($module, $password) Import-Module -Name $module; "ready"; New-SPMigrationCredential -Subject Anna -Password $password -Confirm:$false').AddArgument(
        "$($Check.Base)\SPMigration.psd1").AddArgument($script:CheckPassword)
    $handle = $shell.BeginInvoke()
    $limit = [System.Diagnostics.Stopwatch]::StartNew()
    while (@(Get-CheckChild -Check $Check).Count -eq 0 -and -not $handle.IsCompleted -and $limit.Elapsed.TotalSeconds -lt 60) {
        [System.Threading.Thread]::Sleep(20)
    }
    $seen = @(Get-CheckChild -Check $Check).Count
    $watch = [System.Diagnostics.Stopwatch]::StartNew()
    $shell.Stop()
    $prompt = $watch.ElapsedMilliseconds
    if ($seen -eq 0 -or $shell.InvocationStateInfo.State -ne 'Stopped') {
        Stop-CheckRow -Why 'it had ended before it could be stopped'
    }
    Assert-Check -That "the prompt comes back at once ($prompt ms)" -Is ($prompt -lt 5000)
    $left = Wait-CheckChildren -Check $Check
    $count = @(Get-SPMigrationCredential).Count
    Assert-Check -That "the change was done or not done ($count)" -Is ($count -in 0, 1)
    Assert-Check -That 'the environment is in order' -Is (Test-SPMigration -Role Destination)
    "the prompt after $prompt ms, nothing left after $left s, $count credentials"
}

Add-CheckRow -No 'E3' -What 'no console window' -Run {
    param($Check)
    # Only a computer on which a console has a window that can be found says something.
    $start = [System.Diagnostics.ProcessStartInfo]::new("$env:SystemRoot\System32\conhost.exe", "$env:SystemRoot\System32\cmd.exe /d /c ping -n 6 127.0.0.1")
    $start.UseShellExecute = $true
    $start.WindowStyle = 'Minimized'
    $other = [System.Diagnostics.Process]::Start($start)
    $window = [System.IntPtr]::Zero
    for ($try = 0; $try -lt 25 -and $window -eq [System.IntPtr]::Zero -and -not $other.HasExited; $try++) {
        [System.Threading.Thread]::Sleep(100)
        $other.Refresh()
        $window = $other.MainWindowHandle
    }
    if (-not $other.HasExited) {
        $other.Kill()
    }
    if ($window -eq [System.IntPtr]::Zero) {
        Stop-CheckRow -Why 'windows of consoles cannot be found here'
    }
    New-CheckComputer -Folder (New-CheckFolder -Check $Check -Name 'E3') -Name 'PC-A' -User
    $null = New-SPMigrationCredential -Subject 'Anna' -Algorithm P-256 -Password $script:CheckPassword
    $windows = @('Anna', 'Anna' | Get-SPMigrationCredential | ForEach-Object {
            Get-CheckChild -Check $Check | ForEach-Object { $_.MainWindowHandle }
        })
    Assert-Check -That 'spmigration.exe was running' -Is ($windows.Count -gt 0)
    Assert-Check -That "it has no window ($windows)" -Is (@($windows | Where-Object { $_ -ne [System.IntPtr]::Zero }).Count -eq 0)
    "$($windows.Count) looks, no window"
}
