// Unblock-File of Microsoft.PowerShell.Utility: takes off the mark by which Windows knows files from the internet, a stream of the
// file. Wine's file systems have no streams; there the stream is a file whose name has a colon.
using System.Management.Automation;

namespace Microsoft.PowerShell.Commands;

[Cmdlet(VerbsSecurity.Unblock, "File", DefaultParameterSetName = "ByPath", SupportsShouldProcess = true)]
public sealed class UnblockFileCommand : PSCmdlet
{
    [Parameter(Position = 0, Mandatory = true, ParameterSetName = "ByPath")]
    [ValidateNotNullOrEmpty]
    public string[] Path { get; set; } = [];

    [Parameter(Mandatory = true, ParameterSetName = "ByLiteralPath", ValueFromPipelineByPropertyName = true)]
    [Alias("PSPath", "LP")]
    [ValidateNotNullOrEmpty]
    public string[] LiteralPath { get; set; } = [];

    protected override void ProcessRecord()
    {
        if (!OperatingSystem.IsWindows())
        {
            ThrowTerminatingError(new ErrorRecord(
                new PlatformNotSupportedException("The cmdlet does not support Linux."), "LinuxNotSupported", ErrorCategory.NotImplemented, null));
        }
        var isLiteral = ParameterSetName == "ByLiteralPath";
        foreach (var file in this.Files(isLiteral ? LiteralPath : Path, isLiteral))
        {
            if (ShouldProcess(file))
            {
                this.Guard(() => File.Delete(file + ":Zone.Identifier"));
            }
        }
    }
}
