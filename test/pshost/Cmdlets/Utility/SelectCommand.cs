// Select-Object of Microsoft.PowerShell.Utility. -First stops the commands before it as soon as it has enough, like the
// original. Simplified: -Unique compares the selected properties by their text.
using System.Collections;
using System.Management.Automation;
using SPMigration.PSHost;

namespace Microsoft.PowerShell.Commands;

[Cmdlet(VerbsCommon.Select, "Object", DefaultParameterSetName = "DefaultParameter")]
public sealed class SelectObjectCommand : PSCmdlet
{
    private readonly List<PSObject> held = [];
    private readonly HashSet<string> seen = new(StringComparer.Ordinal);
    private List<PropertyColumn> columns = [];
    private int index = -1;
    private int emitted;

    [Parameter(ValueFromPipeline = true)]
    public PSObject? InputObject { get; set; }

    [Parameter(Position = 0)]
    public object[] Property { get; set; } = [];

    [Parameter]
    public string[] ExcludeProperty { get; set; } = [];

    [Parameter]
    public string? ExpandProperty { get; set; }

    [Parameter]
    public SwitchParameter Unique { get; set; }

    [Parameter]
    public SwitchParameter CaseInsensitive { get; set; }

    [Parameter]
    [ValidateRange(0, int.MaxValue)]
    public int? First { get; set; }

    [Parameter]
    [ValidateRange(0, int.MaxValue)]
    public int? Last { get; set; }

    [Parameter]
    [ValidateRange(0, int.MaxValue)]
    public int Skip { get; set; }

    [Parameter]
    [ValidateRange(0, int.MaxValue)]
    public int SkipLast { get; set; }

    [Parameter]
    public int[]? Index { get; set; }

    [Parameter]
    public int[]? SkipIndex { get; set; }

    [Parameter]
    public SwitchParameter Wait { get; set; }

    /// <summary>Whether the answer needs the end of the input.</summary>
    private bool Holds => Last is not null || SkipLast > 0;

    protected override void BeginProcessing()
    {
        columns = [.. Property.Select(PropertyColumn.Parse)];
        if (columns.Count == 0 && ExcludeProperty.Length > 0)
        {
            columns.Add(PropertyColumn.Parse("*"));
        }
    }

    protected override void ProcessRecord()
    {
        if (InputObject is not { } item || item == System.Management.Automation.Internal.AutomationNull.Value)
        {
            return;
        }
        index++;
        if (Index is not null)
        {
            if (Index.Contains(index))
            {
                Emit(item);
            }
            StopWhen(index >= Index.DefaultIfEmpty(-1).Max());
        }
        else if (SkipIndex is not null)
        {
            if (!SkipIndex.Contains(index))
            {
                Emit(item);
            }
        }
        else if (First is { } first && Last is null)
        {
            if (index >= Skip && emitted < first)
            {
                Emit(item);
            }
            StopWhen(emitted >= first);
        }
        else if (First is { } head && emitted < head && index >= Skip)
        {
            Emit(item);
        }
        else if (Holds)
        {
            held.Add(item);
        }
        else if (index >= Skip)
        {
            Emit(item);
        }
    }

    protected override void EndProcessing()
    {
        IEnumerable<PSObject> rest = held;
        if (Last is { } last)
        {
            rest = First is null ? rest.SkipLast(Skip).TakeLast(last) : rest.TakeLast(last);
        }
        else if (SkipLast > 0)
        {
            rest = rest.Skip(Skip).SkipLast(SkipLast);
        }
        foreach (var item in rest)
        {
            Emit(item);
        }
    }

    private void StopWhen(bool enough)
    {
        if (enough && !Wait)
        {
            throw EngineInternals.StopUpstream(this);
        }
    }

    private void Emit(PSObject item)
    {
        emitted++;
        if (ExpandProperty is not null)
        {
            foreach (var value in Expand(item))
            {
                Write(value);
            }
        }
        else
        {
            Write(columns.Count == 0 ? item : Project(item));
        }
    }

    private PSObject Project(PSObject item)
    {
        var result = new PSObject();
        foreach (var (name, value) in Values(item))
        {
            AddNote(result, name, value);
        }
        result.TypeNames.Insert(0, "Selected." + item.BaseObject.GetType());
        return result;
    }

    private IEnumerable<(string Name, object? Value)> Values(PSObject item)
    {
        foreach (var column in columns)
        {
            if (column.Expression.Script is not null)
            {
                yield return (column.Name ?? column.Expression.Script.ToString().Trim(), column.Value(item));
                continue;
            }
            var names = column.Expression.ResolveNames(item);
            if (names.Count == 0 && !column.Expression.HasWildCardCharacters)
            {
                yield return (column.Name ?? column.Expression.ToString(), null);
            }
            foreach (var name in names.Where(name => !IsExcluded(name.ToString())))
            {
                var values = name.GetValues(item);
                var failed = values is not [{ Exception: null }, ..];
                yield return (column.Name ?? name.ToString(), failed ? null : values[0].Result);
            }
        }
    }

    private IEnumerable<PSObject> Expand(PSObject item)
    {
        var results = new PSPropertyExpression(ExpandProperty).GetValues(item);
        if (results.Count == 0)
        {
            WriteError(new ErrorRecord(
                new PSArgumentException($"Property \"{ExpandProperty}\" cannot be found."), "ExpandPropertyNotFound",
                ErrorCategory.InvalidArgument, item));
            yield break;
        }
        foreach (var result in results)
        {
            if (result.Exception is not null)
            {
                WriteError(new ErrorRecord(result.Exception, "PropertyEvaluationExpand", ErrorCategory.InvalidResult, item));
                continue;
            }
            var list = LanguagePrimitives.GetEnumerable(result.Result);
            foreach (var value in list?.Cast<object?>() ?? (result.Result is null ? [] : [result.Result]))
            {
                var expanded = PSObject.AsPSObject(value ?? "");
                if (columns.Count > 0)
                {
                    expanded = expanded.Copy();
                    foreach (var (name, extra) in Values(item))
                    {
                        AddNote(expanded, name, extra);
                    }
                }
                yield return expanded;
            }
        }
    }

    private void Write(PSObject value)
    {
        if (Unique)
        {
            var key = Key(value);
            if (!seen.Add(CaseInsensitive ? key.ToUpperInvariant() : key))
            {
                return;
            }
        }
        WriteObject(value);
    }

    private static string Key(PSObject value) => value.BaseObject is PSCustomObject
        ? string.Join('\n', value.Properties.Select(property => property.Name + "=" + property.Value))
        : value.ToString();

    private bool IsExcluded(string name) =>
        ExcludeProperty.Any(pattern => WildcardPattern.Get(pattern, WildcardOptions.IgnoreCase).IsMatch(name));

    private void AddNote(PSObject target, string name, object? value)
    {
        if (target.Properties[name] is not null)
        {
            WriteError(new ErrorRecord(
                new PSArgumentException($"The property cannot be processed because the property \"{name}\" already exists."),
                "AlreadyExistingUserSpecifiedPropertyNoExpand", ErrorCategory.InvalidOperation, target));
            return;
        }
        target.Properties.Add(new PSNoteProperty(name, value));
    }
}
