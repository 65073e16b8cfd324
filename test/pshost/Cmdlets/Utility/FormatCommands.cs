// Format-Table, -List, -Wide, -Custom, Out-String and Out-File of Microsoft.PowerShell.Utility. The engine does the formatting;
// these are the thin outer cmdlets that pwsh has in another assembly.
using System.Management.Automation;
using System.Text;
using Microsoft.PowerShell.Commands.Internal.Format;
using SPMigration.PSHost;

namespace Microsoft.PowerShell.Commands;

[Cmdlet(VerbsCommon.Format, "Table")]
public sealed class FormatTableCommand : OuterFormatTableBase
{
    public FormatTableCommand() => EngineInternals.UseFormatShape(this, "Table");
}

[Cmdlet(VerbsCommon.Format, "List")]
public sealed class FormatListCommand : OuterFormatTableAndListBase
{
    public FormatListCommand() => EngineInternals.UseFormatShape(this, "List");
}

[Cmdlet(VerbsCommon.Format, "Custom")]
public sealed class FormatCustomCommand : OuterFormatShapeCommandBase
{
    public FormatCustomCommand() => EngineInternals.UseFormatShape(this, "Complex");
}

[Cmdlet(VerbsCommon.Format, "Wide")]
public sealed class FormatWideCommand : OuterFormatShapeCommandBase
{
    public FormatWideCommand() => EngineInternals.UseFormatShape(this, "Wide");
}

[Cmdlet(VerbsData.Out, "String", DefaultParameterSetName = "NoNewLineFormatting")]
[OutputType(typeof(string))]
public sealed class OutStringCommand : FrontEndCommandBase
{
    private readonly StringWriter whole = new();

    [Parameter(ParameterSetName = "StreamFormatting")]
    public SwitchParameter Stream { get; set; }

    [Parameter]
    [ValidateRange(2, int.MaxValue)]
    public int Width { get; set; }

    [Parameter(ParameterSetName = "NoNewLineFormatting")]
    public SwitchParameter NoNewline { get; set; }

    protected override void BeginProcessing()
    {
        var width = Width > 0 ? Width : Host.UI.RawUI.BufferSize.Width - 1;
        TextWriter writer = Stream ? new LineWriter(WriteObject) : NoNewline ? new LineWriter(line => whole.Write(line)) : whole;
        EngineInternals.UseLineOutput(this, writer, width);
        base.BeginProcessing();
    }

    protected override void EndProcessing()
    {
        base.EndProcessing();
        if (!Stream)
        {
            WriteObject(whole.ToString());
        }
    }
}

[Cmdlet(VerbsData.Out, "File", DefaultParameterSetName = "ByPath", SupportsShouldProcess = true)]
public sealed class OutFileCommand : FrontEndCommandBase
{
    /// <summary>Wide enough that nothing is cut: the original's default for files.</summary>
    private const int UnlimitedWidth = int.MaxValue - 1;

    private StreamWriter? file;

    [Parameter(Position = 0, Mandatory = true, ParameterSetName = "ByPath")]
    [Alias("Path")]
    public string FilePath { get; set; } = "";

    [Parameter(Mandatory = true, ParameterSetName = "ByLiteralPath", ValueFromPipelineByPropertyName = true)]
    [Alias("PSPath", "LP")]
    public string LiteralPath { get => FilePath; set => FilePath = value; }

    [Parameter(Position = 1)]
    public object? Encoding { get; set; }

    [Parameter]
    public SwitchParameter Append { get; set; }

    [Parameter]
    public SwitchParameter Force { get; set; }

    [Parameter]
    [Alias("NoOverwrite")]
    public SwitchParameter NoClobber { get; set; }

    [Parameter]
    [ValidateRange(2, int.MaxValue)]
    public int Width { get; set; } = UnlimitedWidth;

    [Parameter]
    public SwitchParameter NoNewline { get; set; }

    protected override void BeginProcessing()
    {
        var path = GetUnresolvedProviderPathFromPSPath(FilePath);
        try
        {
            var mode = Append ? FileMode.Append : NoClobber ? FileMode.CreateNew : FileMode.Create;
            file = new StreamWriter(new FileStream(path, mode, FileAccess.Write, FileShare.ReadWrite), TextEncodings.Parse(Encoding));
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            ThrowTerminatingError(new ErrorRecord(problem, "FileOpenFailure", ErrorCategory.OpenError, FilePath));
            return;
        }
        EngineInternals.UseLineOutput(this, NoNewline ? new LineWriter(line => file.Write(line)) : file, Width);
        base.BeginProcessing();
    }

    protected override void EndProcessing()
    {
        base.EndProcessing();
        InternalDispose();
    }

    protected override void InternalDispose()
    {
        base.InternalDispose();
        file?.Dispose();
        file = null;
    }
}

/// <summary>Passes each whole line on.</summary>
internal sealed class LineWriter(Action<string> take) : TextWriter
{
    public override Encoding Encoding => Encoding.Unicode;

    public override void WriteLine(string? value) => take(value ?? "");

    public override void Write(string? value) => take(value ?? "");
}
