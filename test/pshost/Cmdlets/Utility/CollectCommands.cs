// Sort-, Measure- and Group-Object of Microsoft.PowerShell.Utility: the commands that need the whole input. Simplified: no
// -Culture; Group-Object finds groups by linear search; Measure-Object counts lines, words and characters of text as is.
using System.Collections;
using System.Collections.ObjectModel;
using System.Management.Automation;

namespace Microsoft.PowerShell.Commands;

/// <summary>A cmdlet that collects its piped input.</summary>
public abstract class CollectingCommand : PSCmdlet
{
    [Parameter(ValueFromPipeline = true)]
    public PSObject? InputObject { get; set; }

    protected Collection<PSObject> Items { get; } = [];

    protected override void ProcessRecord()
    {
        if (InputObject is { } item && item != System.Management.Automation.Internal.AutomationNull.Value)
        {
            Items.Add(item);
        }
    }
}

[Cmdlet("Sort", "Object", DefaultParameterSetName = "Default")]
public sealed class SortObjectCommand : CollectingCommand
{
    [Parameter(Position = 0)]
    public object[] Property { get; set; } = [];

    [Parameter]
    public SwitchParameter Descending { get; set; }

    [Parameter]
    public SwitchParameter Unique { get; set; }

    [Parameter]
    public SwitchParameter CaseSensitive { get; set; }

    [Parameter]
    public SwitchParameter Stable { get; set; }

    [Parameter]
    [ValidateRange(1, int.MaxValue)]
    public int? Top { get; set; }

    [Parameter]
    [ValidateRange(1, int.MaxValue)]
    public int? Bottom { get; set; }

    protected override void EndProcessing()
    {
        var compare = new ValueComparer(CaseSensitive);
        var columns = Property.Select(PropertyColumn.Parse).ToList();
        // LINQ's ordering is stable, which the original is with -Stable, and may be without.
        var keyed = Items.Select(item => (item, keys: Keys(item, columns))).OrderBy(_ => 0);
        for (var i = 0; i < Math.Max(columns.Count, 1); i++)
        {
            var at = i;
            keyed = columns.ElementAtOrDefault(i)?.Descending ?? Descending
                ? keyed.ThenByDescending(entry => entry.keys[at], compare)
                : keyed.ThenBy(entry => entry.keys[at], compare);
        }
        var sorted = keyed.ToList();
        if (Unique)
        {
            sorted = [.. sorted.Where((entry, i) => i == 0 || !entry.keys.SequenceEqual(sorted[i - 1].keys, compare))];
        }
        IEnumerable<PSObject> result = sorted.Select(entry => entry.item);
        result = Top is { } top ? result.Take(top) : Bottom is { } bottom ? result.TakeLast(bottom) : result;
        foreach (var item in result)
        {
            WriteObject(item);
        }
    }

    private static object?[] Keys(PSObject item, List<PropertyColumn> columns) =>
        columns.Count == 0 ? [item] : [.. columns.Select(column => column.Value(item))];
}

/// <summary>One group of Group-Object; the engine has a view for this type name.</summary>
public sealed class GroupInfo
{
    internal GroupInfo(object?[] values) => Values = new ArrayList(values);

    public int Count => Group.Count;

    public string Name => string.Join(", ", Values.Cast<object?>().Select(value => value is null ? "" : PSObject.AsPSObject(value).ToString()));

    public ArrayList Values { get; }

    public Collection<PSObject> Group { get; } = [];
}

[Cmdlet(VerbsData.Group, "Object", DefaultParameterSetName = "HashTable")]
public sealed class GroupObjectCommand : CollectingCommand
{
    [Parameter(Position = 0)]
    public object[] Property { get; set; } = [];

    [Parameter]
    public SwitchParameter CaseSensitive { get; set; }

    [Parameter]
    public SwitchParameter NoElement { get; set; }

    [Parameter]
    [Alias("AHT")]
    public SwitchParameter AsHashTable { get; set; }

    [Parameter]
    public SwitchParameter AsString { get; set; }

    protected override void EndProcessing()
    {
        var columns = Property.Select(PropertyColumn.Parse).ToList();
        var compare = new ValueComparer(CaseSensitive);
        var groups = new List<(object?[] Keys, GroupInfo Info)>();
        foreach (var item in Items)
        {
            object?[] keys = columns.Count == 0 ? [item] : [.. columns.Select(column => column.Value(item))];
            var found = groups.FindIndex(group => group.Keys.SequenceEqual(keys, compare));
            if (found < 0)
            {
                groups.Add((keys, new GroupInfo(keys)));
                found = groups.Count - 1;
            }
            groups[found].Info.Group.Add(item);
        }
        if (AsHashTable)
        {
            var table = new Hashtable(StringComparer.CurrentCultureIgnoreCase);
            foreach (var (keys, info) in groups)
            {
                table[AsString || keys.Length != 1 ? info.Name : keys[0] ?? ""] = info.Group;
            }
            WriteObject(table);
            return;
        }
        foreach (var (_, info) in groups.OrderBy(group => group.Info.Name, StringComparer.InvariantCultureIgnoreCase))
        {
            var shown = new PSObject(info);
            if (NoElement)
            {
                shown.TypeNames.Insert(0, "Microsoft.PowerShell.Commands.GroupInfoNoElement");
            }
            WriteObject(shown);
        }
    }
}

/// <summary>The figures of Measure-Object; the engine has a view for this type name.</summary>
public sealed class GenericMeasureInfo
{
    public int Count { get; init; }

    public double? Average { get; init; }

    public double? Sum { get; init; }

    public double? Maximum { get; init; }

    public double? Minimum { get; init; }

    public double? StandardDeviation { get; init; }

    public string? Property { get; init; }
}

/// <summary>The figures of Measure-Object -Line, -Word and -Character.</summary>
public sealed class TextMeasureInfo
{
    public int? Lines { get; init; }

    public int? Words { get; init; }

    public int? Characters { get; init; }

    public string? Property { get; init; }
}

[Cmdlet(VerbsDiagnostic.Measure, "Object", DefaultParameterSetName = "GenericMeasure")]
[OutputType(typeof(GenericMeasureInfo), typeof(TextMeasureInfo))]
public sealed class MeasureObjectCommand : CollectingCommand
{
    [Parameter(Position = 0)]
    public object[] Property { get; set; } = [];

    [Parameter(ParameterSetName = "GenericMeasure")]
    public SwitchParameter Sum { get; set; }

    [Parameter(ParameterSetName = "GenericMeasure")]
    public SwitchParameter Average { get; set; }

    [Parameter(ParameterSetName = "GenericMeasure")]
    public SwitchParameter Maximum { get; set; }

    [Parameter(ParameterSetName = "GenericMeasure")]
    public SwitchParameter Minimum { get; set; }

    [Parameter(ParameterSetName = "GenericMeasure")]
    public SwitchParameter StandardDeviation { get; set; }

    [Parameter(ParameterSetName = "GenericMeasure")]
    public SwitchParameter AllStats { get; set; }

    [Parameter(ParameterSetName = "TextMeasure")]
    public SwitchParameter Line { get; set; }

    [Parameter(ParameterSetName = "TextMeasure")]
    public SwitchParameter Word { get; set; }

    [Parameter(ParameterSetName = "TextMeasure")]
    public SwitchParameter Character { get; set; }

    protected override void EndProcessing()
    {
        foreach (var column in Property.Select(PropertyColumn.Parse).DefaultIfEmpty<PropertyColumn?>(null))
        {
            var values = Items.Select(item => column is null ? item : column.Value(item)).Where(value => value is not null).ToList();
            var name = column is null ? null : column.Name ?? column.Expression.ToString();
            WriteObject(ParameterSetName == "TextMeasure" ? Text(values, name) : Figures(values, name));
        }
    }

    private TextMeasureInfo Text(List<object?> values, string? name)
    {
        var texts = values.Select(value => PSObject.AsPSObject(value ?? "").ToString()).ToList();
        char[] blanks = [' ', '\t', '\r', '\n'];
        return new TextMeasureInfo
        {
            Lines = Line ? texts.Sum(text => text.TrimEnd('\n').Count(c => c == '\n') + (text.Length > 0 ? 1 : 0)) : null,
            Words = Word ? texts.Sum(text => text.Split(blanks, StringSplitOptions.RemoveEmptyEntries).Length) : null,
            Characters = Character ? texts.Sum(text => text.Length) : null,
            Property = name,
        };
    }

    private GenericMeasureInfo Figures(List<object?> values, string? name)
    {
        if (!(Sum || Average || Maximum || Minimum || StandardDeviation || AllStats))
        {
            return new GenericMeasureInfo { Count = values.Count, Property = name };
        }
        var numbers = values.Select(value => LanguagePrimitives.ConvertTo<double>(value)).ToList();
        var any = numbers.Count > 0;
        double? mean = any ? numbers.Average() : null;
        double? deviation = numbers.Count > 1 ? Math.Sqrt(numbers.Sum(n => (n - mean) * (n - mean) ?? 0) / (numbers.Count - 1)) : any ? 0 : null;
        return new GenericMeasureInfo
        {
            Count = values.Count,
            Sum = Sum || AllStats ? numbers.Sum() : null,
            Average = Average || AllStats ? mean : null,
            Maximum = (Maximum || AllStats) && any ? numbers.Max() : null,
            Minimum = (Minimum || AllStats) && any ? numbers.Min() : null,
            StandardDeviation = StandardDeviation || AllStats ? deviation : null,
            Property = name,
        };
    }
}
