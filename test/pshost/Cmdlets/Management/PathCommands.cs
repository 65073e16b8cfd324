// Locations and paths of Microsoft.PowerShell.Management: Get-, Set-, Push- and Pop-Location, Test-, Join-, Split-, Resolve-
// and Convert-Path, over the engine's path intrinsics. Simplified: no named location stacks, no -Credential, no -NewerThan.
using System.Management.Automation;

namespace Microsoft.PowerShell.Commands;

[Cmdlet(VerbsCommon.Get, "Location")]
[OutputType(typeof(PathInfo))]
public sealed class GetLocationCommand : PSCmdlet
{
    protected override void ProcessRecord() => WriteObject(SessionState.Path.CurrentLocation);
}

[Cmdlet(VerbsCommon.Set, "Location", DefaultParameterSetName = "Path")]
[OutputType(typeof(PathInfo))]
public sealed class SetLocationCommand : PSCmdlet
{
    private bool literal;

    [Parameter(Position = 0, ParameterSetName = "Path", ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    public string? Path { get; set; }

    [Parameter(ParameterSetName = "LiteralPath", Mandatory = true, ValueFromPipelineByPropertyName = true)]
    [Alias("PSPath", "LP")]
    public string? LiteralPath
    {
        get => Path;
        set
        {
            Path = value;
            literal = true;
        }
    }

    [Parameter]
    public SwitchParameter PassThru { get; set; }

    protected override void ProcessRecord() => this.Guard(() =>
    {
        var path = Path ?? "~";
        var now = SessionState.Path.SetLocation(literal ? WildcardPattern.Escape(path) : path);
        if (PassThru)
        {
            WriteObject(now);
        }
    });
}

[Cmdlet(VerbsCommon.Push, "Location")]
public sealed class PushLocationCommand : PSCmdlet
{
    [Parameter(Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    public string? Path { get; set; }

    protected override void ProcessRecord() => this.Guard(() =>
    {
        SessionState.Path.PushCurrentLocation(null);
        if (Path is not null)
        {
            _ = SessionState.Path.SetLocation(Path);
        }
    });
}

[Cmdlet(VerbsCommon.Pop, "Location")]
public sealed class PopLocationCommand : PSCmdlet
{
    protected override void ProcessRecord() => this.Guard(() => _ = SessionState.Path.PopLocation(null));
}

/// <summary>What Test-Path asks for.</summary>
public enum TestPathType
{
    Any,
    Container,
    Leaf,
}

[Cmdlet(VerbsDiagnostic.Test, "Path", DefaultParameterSetName = "Path")]
[OutputType(typeof(bool))]
public sealed class TestPathCommand : PSCmdlet
{
    private bool literal;

    [Parameter(Position = 0, ParameterSetName = "Path", Mandatory = true, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [AllowNull]
    [AllowEmptyCollection]
    [AllowEmptyString]
    public string?[] Path { get; set; } = [];

    [Parameter(ParameterSetName = "LiteralPath", Mandatory = true, ValueFromPipelineByPropertyName = true)]
    [Alias("PSPath", "LP")]
    [AllowNull]
    [AllowEmptyCollection]
    [AllowEmptyString]
    public string?[] LiteralPath
    {
        get => Path;
        set
        {
            Path = value;
            literal = true;
        }
    }

    [Parameter]
    [Alias("Type")]
    public TestPathType PathType { get; set; } = TestPathType.Any;

    [Parameter]
    public SwitchParameter IsValid { get; set; }

    protected override void ProcessRecord()
    {
        foreach (var path in Path)
        {
            WriteObject(!string.IsNullOrWhiteSpace(path) && (IsValid ? SessionState.Path.IsValid(path) : Exists(path)));
        }
    }

    private bool Exists(string path)
    {
        try
        {
            return InvokeProvider.Item.Exists(path, force: false, literal) && PathType switch
            {
                TestPathType.Container => InvokeProvider.Item.IsContainer(literal ? WildcardPattern.Escape(path) : path),
                TestPathType.Leaf => !InvokeProvider.Item.IsContainer(literal ? WildcardPattern.Escape(path) : path),
                _ => true,
            };
        }
        catch (SessionStateException)
        {
            return false; // An unknown drive or provider is "no", as in the original.
        }
    }
}

[Cmdlet(VerbsCommon.Join, "Path")]
[OutputType(typeof(string))]
public sealed class JoinPathCommand : PSCmdlet
{
    [Parameter(Position = 0, Mandatory = true, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [Alias("PSPath")]
    public string[] Path { get; set; } = [];

    [Parameter(Position = 1, Mandatory = true, ValueFromPipelineByPropertyName = true)]
    [AllowNull]
    [AllowEmptyString]
    public string ChildPath { get; set; } = "";

    [Parameter(Position = 2, ValueFromPipelineByPropertyName = true, ValueFromRemainingArguments = true)]
    [AllowNull]
    [AllowEmptyString]
    [AllowEmptyCollection]
    public string[] AdditionalChildPath { get; set; } = [];

    [Parameter]
    public SwitchParameter Resolve { get; set; }

    protected override void ProcessRecord()
    {
        var child = AdditionalChildPath.Aggregate(ChildPath ?? "", SessionState.Path.Combine);
        foreach (var path in Path)
        {
            this.Guard(() =>
            {
                var joined = SessionState.Path.Combine(path, child);
                if (Resolve)
                {
                    WriteObject(SessionState.Path.GetResolvedPSPathFromPSPath(joined).Select(found => found.Path), enumerateCollection: true);
                }
                else
                {
                    WriteObject(joined);
                }
            });
        }
    }
}

[Cmdlet(VerbsCommon.Split, "Path", DefaultParameterSetName = "ParentSet")]
[OutputType(typeof(string), typeof(bool))]
public sealed class SplitPathCommand : PSCmdlet
{
    [Parameter(Position = 0, Mandatory = true, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [Alias("LiteralPath", "PSPath", "LP")]
    public string[] Path { get; set; } = [];

    [Parameter(ParameterSetName = "ParentSet")]
    public SwitchParameter Parent { get; set; }

    [Parameter(ParameterSetName = "LeafSet", Mandatory = true)]
    public SwitchParameter Leaf { get; set; }

    [Parameter(ParameterSetName = "LeafBaseSet", Mandatory = true)]
    public SwitchParameter LeafBase { get; set; }

    [Parameter(ParameterSetName = "ExtensionSet", Mandatory = true)]
    public SwitchParameter Extension { get; set; }

    [Parameter(ParameterSetName = "QualifierSet", Mandatory = true)]
    public SwitchParameter Qualifier { get; set; }

    [Parameter(ParameterSetName = "NoQualifierSet", Mandatory = true)]
    public SwitchParameter NoQualifier { get; set; }

    [Parameter(ParameterSetName = "IsAbsoluteSet", Mandatory = true)]
    public SwitchParameter IsAbsolute { get; set; }

    [Parameter]
    public SwitchParameter Resolve { get; set; }

    protected override void ProcessRecord()
    {
        foreach (var given in Path)
        {
            this.Guard(() =>
            {
                IEnumerable<string> paths = Resolve ? SessionState.Path.GetResolvedPSPathFromPSPath(given).Select(found => found.Path) : [given];
                foreach (var path in paths)
                {
                    WriteObject(Part(path));
                }
            });
        }
    }

    private object Part(string path)
    {
        var colon = path.IndexOf(':', StringComparison.Ordinal);
        return ParameterSetName switch
        {
            "LeafSet" => SessionState.Path.ParseChildName(path),
            "LeafBaseSet" => System.IO.Path.GetFileNameWithoutExtension(SessionState.Path.ParseChildName(path)),
            "ExtensionSet" => System.IO.Path.GetExtension(SessionState.Path.ParseChildName(path)),
            "QualifierSet" when colon < 0 => throw new FormatException(
                $"Cannot parse path because path '{path}' does not have a qualifier specified."),
            "QualifierSet" => path[..(colon + 1)],
            "NoQualifierSet" => path[(colon + 1)..],
            "IsAbsoluteSet" => SessionState.Path.IsPSAbsolute(path, out _),
            _ => SessionState.Path.ParseParent(path, ""),
        };
    }
}

[Cmdlet(VerbsDiagnostic.Resolve, "Path", DefaultParameterSetName = "Path")]
[OutputType(typeof(PathInfo), typeof(string))]
public sealed class ResolvePathCommand : PathPairCommand
{
    [Parameter]
    public SwitchParameter Relative { get; set; }

    protected override void ProcessRecord()
    {
        foreach (var path in Path)
        {
            this.Guard(() =>
            {
                foreach (var found in SessionState.Path.GetResolvedPSPathFromPSPath(IsLiteral ? WildcardPattern.Escape(path) : path))
                {
                    WriteObject(Relative ? RelativeTo(found.ProviderPath) : found);
                }
            });
        }
    }

    private string RelativeTo(string path)
    {
        var relative = System.IO.Path.GetRelativePath(SessionState.Path.CurrentFileSystemLocation.ProviderPath, path);
        return relative.StartsWith('.') ? relative : System.IO.Path.Combine(".", relative);
    }
}

[Cmdlet(VerbsData.Convert, "Path", DefaultParameterSetName = "Path")]
[OutputType(typeof(string))]
public sealed class ConvertPathCommand : PathPairCommand
{
    protected override void ProcessRecord()
    {
        foreach (var path in this.Files(Path, IsLiteral))
        {
            WriteObject(path);
        }
    }
}
