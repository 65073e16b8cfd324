// Get-ChildItem, Get-Item, New-, Remove-, Copy-, Move- and Rename-Item of Microsoft.PowerShell.Management, over the engine's
// own providers. Simplified: results come per path, not streamed; -Filter is matched here and not by the provider; no
// -Credential, no sessions, no dynamic parameters but -File, -Directory and -Hidden.
using System.Collections.ObjectModel;
using System.Management.Automation;

namespace Microsoft.PowerShell.Commands;

[Cmdlet(VerbsCommon.Get, "ChildItem", DefaultParameterSetName = "Items")]
[OutputType(typeof(FileInfo), typeof(DirectoryInfo))]
public sealed class GetChildItemCommand : PSCmdlet
{
    private bool literal;
    private string[] paths = [];

    [Parameter(Position = 0, ParameterSetName = "Items", ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    public string[] Path { get => paths; set => paths = value; }

    [Parameter(ParameterSetName = "LiteralItems", Mandatory = true, ValueFromPipelineByPropertyName = true)]
    [Alias("PSPath", "LP")]
    public string[] LiteralPath
    {
        get => paths;
        set
        {
            paths = value;
            literal = true;
        }
    }

    [Parameter(Position = 1)]
    public string? Filter { get; set; }

    [Parameter]
    public string[]? Include { get; set; }

    [Parameter]
    public string[]? Exclude { get; set; }

    [Parameter]
    [Alias("s")]
    public SwitchParameter Recurse { get; set; }

    [Parameter]
    public uint? Depth { get; set; }

    [Parameter]
    public SwitchParameter Force { get; set; }

    [Parameter]
    public SwitchParameter Name { get; set; }

    [Parameter]
    [Alias("af")]
    public SwitchParameter File { get; set; }

    [Parameter]
    [Alias("ad")]
    public SwitchParameter Directory { get; set; }

    [Parameter]
    [Alias("ah", "h")]
    public SwitchParameter Hidden { get; set; }

    protected override void ProcessRecord()
    {
        foreach (var path in paths is [] ? [SessionState.Path.CurrentLocation.Path] : paths)
        {
            this.Guard(() => List(path));
        }
    }

    private void List(string path)
    {
        var recurse = Recurse || Depth is not null;
        var force = Force || Hidden;
        var items = Depth is { } depth
            ? InvokeProvider.ChildItem.Get([path], recurse, depth, force, literal || paths is [])
            : InvokeProvider.ChildItem.Get([path], recurse, force, literal || paths is []);
        foreach (var item in items.Where(IsWanted))
        {
            WriteObject(Name ? NameBelow(path, item) : item);
        }
    }

    /// <summary>What -Name shows: the path from the folder that was asked for.</summary>
    private object? NameBelow(string path, PSObject item) => item.BaseObject is FileSystemInfo entry && (Recurse || Depth is not null)
        ? System.IO.Path.GetRelativePath(SessionState.Path.GetUnresolvedProviderPathFromPSPath(path), entry.FullName)
        : item.Properties["PSChildName"]?.Value;

    private bool IsWanted(PSObject item)
    {
        var name = (item.Properties["PSChildName"]?.Value ?? item.Properties["Name"]?.Value)?.ToString() ?? "";
        return (Filter is null || Matches(name, Filter))
            && (Include is null || Include.Any(pattern => Matches(name, pattern)))
            && (Exclude is null || !Exclude.Any(pattern => Matches(name, pattern)))
            && (!File || item.BaseObject is FileInfo)
            && (!Directory || item.BaseObject is DirectoryInfo)
            && (!Hidden || (item.BaseObject is FileSystemInfo entry && entry.Attributes.HasFlag(FileAttributes.Hidden)));
    }

    private static bool Matches(string name, string pattern) =>
        WildcardPattern.Get(pattern, WildcardOptions.IgnoreCase).IsMatch(name);
}

[Cmdlet(VerbsCommon.Get, "Item", DefaultParameterSetName = "Path")]
public sealed class GetItemCommand : PathPairCommand
{
    [Parameter]
    public SwitchParameter Force { get; set; }

    protected override void ProcessRecord()
    {
        foreach (var path in Path)
        {
            this.Guard(() => WriteObject(InvokeProvider.Item.Get([path], Force, IsLiteral), enumerateCollection: true));
        }
    }
}

[Cmdlet(VerbsCommon.New, "Item", DefaultParameterSetName = "pathSet", SupportsShouldProcess = true)]
public sealed class NewItemCommand : PSCmdlet
{
    [Parameter(Position = 0, ParameterSetName = "pathSet", Mandatory = true, ValueFromPipelineByPropertyName = true)]
    [Parameter(Position = 0, ParameterSetName = "nameSet", Mandatory = false, ValueFromPipelineByPropertyName = true)]
    public string[] Path { get; set; } = [];

    [Parameter(ParameterSetName = "nameSet", Mandatory = true, ValueFromPipelineByPropertyName = true)]
    [AllowNull]
    [AllowEmptyString]
    public string? Name { get; set; }

    [Parameter(ValueFromPipelineByPropertyName = true)]
    [Alias("Type")]
    public string? ItemType { get; set; }

    [Parameter(ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [Alias("Target")]
    public object? Value { get; set; }

    [Parameter]
    public SwitchParameter Force { get; set; }

    protected override void ProcessRecord()
    {
        foreach (var path in Path is [] ? [""] : Path)
        {
            var shown = Name is null ? path : SessionState.Path.Combine(path, Name);
            if (ShouldProcess(shown, "Create " + (ItemType ?? "Item")))
            {
                this.Guard(() => WriteObject(InvokeProvider.Item.New([path], Name, ItemType, Value, Force), enumerateCollection: true));
            }
        }
    }
}

[Cmdlet(VerbsCommon.Remove, "Item", DefaultParameterSetName = "Path", SupportsShouldProcess = true)]
public sealed class RemoveItemCommand : PathPairCommand
{
    private bool yesToAll;
    private bool noToAll;

    [Parameter]
    public SwitchParameter Recurse { get; set; }

    [Parameter]
    public SwitchParameter Force { get; set; }

    protected override void ProcessRecord()
    {
        foreach (var path in Path)
        {
            this.Guard(() => Remove(path));
        }
    }

    private void Remove(string path)
    {
        var targets = IsLiteral
            ? new Collection<PathInfo>()
            : SessionState.Path.GetResolvedPSPathFromPSPath(path);
        foreach (var target in IsLiteral ? [path] : targets.Select(found => found.Path))
        {
            if (!InvokeProvider.Item.Exists(target, Force, literalPath: true))
            {
                _ = InvokeProvider.Item.Get([target], Force, literalPath: true); // throws PathNotFound
            }
            var full = SessionState.Path.GetUnresolvedProviderPathFromPSPath(target);
            if (!Recurse && InvokeProvider.Item.IsContainer(target) && InvokeProvider.ChildItem.HasChild(target, Force, literalPath: true)
                && !ShouldContinue(
                    $"The item at {full} has children and the Recurse parameter was not specified. If you continue, all children will be removed with the item. Are you sure you want to continue?",
                    "Confirm", ref yesToAll, ref noToAll))
            {
                continue;
            }
            var what = InvokeProvider.Item.IsContainer(target) ? "Remove Directory" : "Remove File";
            if (ShouldProcess(full, what))
            {
                InvokeProvider.Item.Remove([target], recurse: true, Force, literalPath: true);
            }
        }
    }
}

/// <summary>Copy-Item and Move-Item: a source pair and a destination.</summary>
public abstract class SourceToDestinationCommand : PathPairCommand
{
    [Parameter(Position = 1, ValueFromPipelineByPropertyName = true)]
    public string? Destination { get; set; }

    [Parameter]
    public SwitchParameter Force { get; set; }

    [Parameter]
    public SwitchParameter PassThru { get; set; }

    protected abstract string Action { get; }

    protected abstract Collection<PSObject> Transfer(string path, string destination);

    protected override void ProcessRecord()
    {
        var destination = Destination ?? SessionState.Path.CurrentLocation.Path;
        foreach (var path in Path)
        {
            if (ShouldProcess($"Item: {path} Destination: {destination}", Action))
            {
                this.Guard(() =>
                {
                    var made = Transfer(path, destination);
                    if (PassThru)
                    {
                        WriteObject(made, enumerateCollection: true);
                    }
                });
            }
        }
    }
}

[Cmdlet(VerbsCommon.Copy, "Item", DefaultParameterSetName = "Path", SupportsShouldProcess = true)]
public sealed class CopyItemCommand : SourceToDestinationCommand
{
    [Parameter]
    public SwitchParameter Container { get; set; } = true;

    [Parameter]
    public SwitchParameter Recurse { get; set; }

    protected override string Action => "Copy Item";

    protected override Collection<PSObject> Transfer(string path, string destination) => InvokeProvider.Item.Copy(
        [path], destination, Recurse, Container ? CopyContainers.CopyTargetContainer : CopyContainers.CopyChildrenOfTargetContainer,
        Force, IsLiteral);
}

[Cmdlet(VerbsCommon.Move, "Item", DefaultParameterSetName = "Path", SupportsShouldProcess = true)]
public sealed class MoveItemCommand : SourceToDestinationCommand
{
    protected override string Action => "Move Item";

    protected override Collection<PSObject> Transfer(string path, string destination) =>
        InvokeProvider.Item.Move([path], destination, Force, IsLiteral);
}

[Cmdlet(VerbsCommon.Rename, "Item", DefaultParameterSetName = "Path", SupportsShouldProcess = true)]
public sealed class RenameItemCommand : PSCmdlet
{
    [Parameter(Position = 0, Mandatory = true, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [Alias("PSPath", "LiteralPath", "LP")]
    public string Path { get; set; } = "";

    [Parameter(Position = 1, Mandatory = true, ValueFromPipelineByPropertyName = true)]
    public string NewName { get; set; } = "";

    [Parameter]
    public SwitchParameter Force { get; set; }

    protected override void ProcessRecord()
    {
        if (ShouldProcess($"Item: {Path} Destination: {NewName}", "Rename Item"))
        {
            this.Guard(() => InvokeProvider.Item.Rename(Path, NewName, Force));
        }
    }
}
