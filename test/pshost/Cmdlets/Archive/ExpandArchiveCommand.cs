// Expand-Archive of Microsoft.PowerShell.Archive. The original is a function; so its error ids end differently. Left out:
// -PassThru, progress, and that a failed expansion takes back what it had written.
using System.IO.Compression;
using System.Management.Automation;

namespace Microsoft.PowerShell.Commands;

[Cmdlet(VerbsData.Expand, "Archive", DefaultParameterSetName = "Path", SupportsShouldProcess = true)]
public sealed class ExpandArchiveCommand : PSCmdlet
{
    [Parameter(Position = 0, Mandatory = true, ParameterSetName = "Path", ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [ValidateNotNullOrEmpty]
    public string Path { get; set; } = "";

    [Parameter(Mandatory = true, ParameterSetName = "LiteralPath", ValueFromPipelineByPropertyName = true)]
    [Alias("PSPath")]
    [ValidateNotNullOrEmpty]
    public string LiteralPath { get; set; } = "";

    [Parameter(Position = 1)]
    [ValidateNotNullOrEmpty]
    public string? DestinationPath { get; set; }

    [Parameter]
    public SwitchParameter Force { get; set; }

    protected override void ProcessRecord()
    {
        var isLiteral = ParameterSetName == "LiteralPath";
        foreach (var file in this.Files([isLiteral ? LiteralPath : Path], isLiteral))
        {
            if (!System.IO.Path.GetExtension(file).Equals(".zip", StringComparison.OrdinalIgnoreCase))
            {
                var problem = new IOException($"{System.IO.Path.GetExtension(file)} is not a supported archive file format. .zip is the only supported archive file format.");
                ThrowTerminatingError(new ErrorRecord(problem, "NotSupportedArchiveFileExtension", ErrorCategory.InvalidArgument, file));
            }
            this.Guard(() => Expand(file));
        }
    }

    private void Expand(string file)
    {
        var folder = GetUnresolvedProviderPathFromPSPath(
            DestinationPath ?? System.IO.Path.GetFileNameWithoutExtension(file));
        if (!ShouldProcess(file))
        {
            return;
        }
        Directory.CreateDirectory(folder);
        using var archive = ZipFile.OpenRead(file);
        foreach (var entry in archive.Entries)
        {
            var target = System.IO.Path.GetFullPath(System.IO.Path.Combine(folder, entry.FullName));
            if (entry.Name == "")
            {
                Directory.CreateDirectory(target);
                continue;
            }
            if (!Force && File.Exists(target))
            {
                var problem = new IOException($"Failed to create file '{target}' while expanding the archive file '{file}' contents as the file '{target}' already exists. Use the -Force parameter if you want to overwrite the existing directory '{target}' contents when expanding the archive file.");
                WriteError(new ErrorRecord(problem, "ExpandArchiveFileExists", ErrorCategory.PermissionDenied, target));
                continue;
            }
            Directory.CreateDirectory(System.IO.Path.GetDirectoryName(target)!);
            entry.ExtractToFile(target, overwrite: Force);
        }
    }
}
