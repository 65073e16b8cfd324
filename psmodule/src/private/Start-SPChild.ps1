# Starts the core program of this very module, never one from PATH, with arguments that are always the same: everything else
# goes through its standard input (design page 4, "Process protocol").
function Start-SPChild {
    param(
        $Conversation
    )
    $ErrorActionPreference = 'Stop'
    $platform = 'linux-x64'
    $file = 'spmigration'
    if ([System.IO.Path]::DirectorySeparatorChar -eq '\') {
        $platform = 'win-x64'
        $file = 'spmigration.exe'
    }
    $path = [System.IO.Path]::Combine($script:ModuleBase, 'bin', $platform, $file)
    if (-not [System.IO.File]::Exists($path)) {
        Stop-SPCmdlet -Conversation $Conversation -Code 'CoreNotFound' -Detail @{ path = $path; platform = $platform }
    }
    $start = [System.Diagnostics.ProcessStartInfo]::new()
    $start.FileName = $path
    $start.Arguments = 'rpc --protocol 1'
    $start.WorkingDirectory = $script:ModuleBase
    $start.UseShellExecute = $false
    $start.CreateNoWindow = $true
    $start.RedirectStandardInput = $true
    $start.RedirectStandardOutput = $true
    $start.RedirectStandardError = $true
    $process = [System.Diagnostics.Process]::new()
    $process.StartInfo = $start
    try {
        [void]$process.Start()
    } catch [System.Management.Automation.MethodInvocationException] {
        $process.Dispose()
        $reason = $_.Exception.GetBaseException()
        # Access denied, a noexec mount, App Control, antivirus, a program for another kind of computer.
        Stop-SPCmdlet -Conversation $Conversation -Code 'CoreBlocked' -Detail @{ path = $path; problem = $reason.Message }
    }
    $output = $process.StandardOutput.BaseStream
    $errors = $process.StandardError.BaseStream
    $errorBuffer = [byte[]]::new(4096)
    $Conversation['Child'] = @{
        Process     = $process
        Input       = $process.StandardInput.BaseStream
        Output      = $output
        OutputRead  = $null
        Buffer      = [byte[]]::new(65536)
        Start       = 0
        End         = 0
        Errors      = $errors
        ErrorBuffer = $errorBuffer
        ErrorRead   = $errors.ReadAsync($errorBuffer, 0, $errorBuffer.Length)
        Tail        = [System.IO.MemoryStream]::new()
        Greeted     = $false
    }
}
