// Import-Csv, ConvertFrom-Csv, ConvertTo-Csv and Export-Csv of Microsoft.PowerShell.Utility. Fields may be quoted, hold the
// delimiter, doubled quotes and line breaks; a first line "#TYPE …" gives the type name; empty headers become H1, H2, ….
// Simplified: output is always quoted (-UseQuotes Always, the default); no -Append to a file with other columns.
using System.Management.Automation;
using System.Text;

namespace Microsoft.PowerShell.Commands;

/// <summary>Splits CSV text into records of fields.</summary>
internal sealed class CsvReader(TextReader text, char delimiter)
{
    /// <summary>The next record; null at the end. A blank line is skipped, as in the original.</summary>
    public List<string?>? Read()
    {
        while (text.Peek() is '\r' or '\n')
        {
            text.Read();
        }
        if (text.Peek() < 0)
        {
            return null;
        }
        var record = new List<string?>();
        while (true)
        {
            var (field, last) = Field();
            record.Add(field);
            if (last)
            {
                return record;
            }
        }
    }

    private (string? Field, bool Last) Field()
    {
        var value = new StringBuilder();
        while (text.Peek() is ' ' or '\t' && text.Peek() != delimiter)
        {
            value.Append((char)text.Read());
        }
        if (text.Peek() == '"')
        {
            value.Clear(); // Blanks before an opening quote do not count.
            text.Read();
            Quoted(value);
            return (value.ToString(), SkipToDelimiter());
        }
        while (true)
        {
            var next = text.Read();
            if (next < 0 || next == '\n' || next == '\r')
            {
                if (next == '\r' && text.Peek() == '\n')
                {
                    text.Read();
                }
                return (value.ToString().TrimEnd(), true);
            }
            if (next == delimiter)
            {
                return (value.ToString().TrimEnd(), false);
            }
            value.Append((char)next);
        }
    }

    private void Quoted(StringBuilder value)
    {
        while (text.Read() is var next and >= 0)
        {
            if (next != '"')
            {
                value.Append((char)next);
            }
            else if (text.Peek() == '"')
            {
                value.Append((char)text.Read());
            }
            else
            {
                return;
            }
        }
    }

    private bool SkipToDelimiter()
    {
        while (true)
        {
            var next = text.Read();
            if (next == '\r' && text.Peek() == '\n')
            {
                next = text.Read();
            }
            if (next is < 0 or '\n' or '\r')
            {
                return true;
            }
            if (next == delimiter)
            {
                return false;
            }
        }
    }
}

/// <summary>Import-Csv and ConvertFrom-Csv: records to objects.</summary>
public abstract class CsvReadingCommand : PSCmdlet
{
    [Parameter]
    public string[]? Header { get; set; }

    internal void WriteRecords(TextReader text, char delimiter)
    {
        string? typeName = null;
        if (text is StringReader reader)
        {
            var whole = reader.ReadToEnd();
            if (whole.StartsWith("#TYPE", StringComparison.OrdinalIgnoreCase))
            {
                var end = whole.IndexOf('\n', StringComparison.Ordinal);
                typeName = whole[5..(end < 0 ? whole.Length : end)].Trim();
                whole = end < 0 ? "" : whole[(end + 1)..];
            }
            text = new StringReader(whole);
        }
        var csv = new CsvReader(text, delimiter);
        var names = Header ?? Names(csv.Read());
        while (csv.Read() is { } record)
        {
            var item = new PSObject();
            for (var i = 0; i < names.Length; i++)
            {
                item.Properties.Add(new PSNoteProperty(names[i], i < record.Count ? record[i] : null));
            }
            if (!string.IsNullOrEmpty(typeName))
            {
                item.TypeNames.Clear();
                item.TypeNames.Add(typeName);
                item.TypeNames.Add("CSV:" + typeName);
            }
            WriteObject(item);
        }
    }

    private string[] Names(List<string?>? record)
    {
        if (record is null)
        {
            return [];
        }
        var unnamed = 0;
        string[] names = [.. record.Select(name => string.IsNullOrEmpty(name) ? "H" + ++unnamed : name)];
        if (unnamed > 0)
        {
            WriteWarning("One or more headers were not specified. Default names starting with \"H\" have been used in place of any missing headers.");
        }
        if (names.GroupBy(name => name, StringComparer.OrdinalIgnoreCase).FirstOrDefault(group => group.Count() > 1) is { } twice)
        {
            ThrowTerminatingError(new ErrorRecord(
                new ExtendedTypeSystemException($"The member \"{twice.Key}\" is already present."),
                "AlreadyPresentPSMemberInfoInternalCollectionAdd", ErrorCategory.NotSpecified, null));
        }
        return names;
    }
}

[Cmdlet(VerbsData.Import, "Csv", DefaultParameterSetName = "DelimiterPath")]
public sealed class ImportCsvCommand : CsvReadingCommand
{
    private bool literal;

    [Parameter(Position = 0, ParameterSetName = "DelimiterPath", ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [ValidateNotNullOrEmpty]
    public string[] Path { get; set; } = [];

    [Parameter(ParameterSetName = "DelimiterLiteralPath", Mandatory = true, ValueFromPipelineByPropertyName = true)]
    [Alias("PSPath", "LP")]
    public string[] LiteralPath
    {
        get => Path;
        set
        {
            Path = value;
            literal = true;
        }
    }

    [Parameter(Position = 1)]
    public char Delimiter { get; set; } = ',';

    [Parameter]
    public object? Encoding { get; set; }

    protected override void ProcessRecord()
    {
        if (Path is [])
        {
            ThrowTerminatingError(new ErrorRecord(
                new InvalidOperationException("You must specify either the -Path or -LiteralPath parameters, but not both."),
                "CannotSpecifyPathAndLiteralPath", ErrorCategory.InvalidData, null));
        }
        foreach (var file in this.Files(Path, literal))
        {
            this.Guard(() =>
            {
                using var text = new StringReader(File.ReadAllText(file, TextEncodings.Parse(Encoding)));
                WriteRecords(text, Delimiter);
            });
        }
    }
}

[Cmdlet(VerbsData.ConvertFrom, "Csv", DefaultParameterSetName = "Delimiter")]
public sealed class ConvertFromCsvCommand : CsvReadingCommand
{
    private readonly StringBuilder lines = new();

    [Parameter(Position = 0, Mandatory = true, ValueFromPipeline = true)]
    [AllowEmptyString]
    public PSObject[] InputObject { get; set; } = [];

    [Parameter(Position = 1)]
    public char Delimiter { get; set; } = ',';

    protected override void ProcessRecord()
    {
        foreach (var line in InputObject)
        {
            lines.Append(line).Append('\n');
        }
    }

    protected override void EndProcessing()
    {
        using var text = new StringReader(lines.ToString());
        WriteRecords(text, Delimiter);
    }
}

/// <summary>ConvertTo-Csv and Export-Csv: objects to lines.</summary>
public abstract class CsvWritingCommand : PSCmdlet
{
    private List<string>? names;

    [Parameter(Mandatory = true, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    public PSObject? InputObject { get; set; }

    [Parameter(Position = 1)]
    public char Delimiter { get; set; } = ',';

    [Parameter]
    [Alias("NTI")]
    public SwitchParameter NoTypeInformation { get; set; } = true;

    protected abstract void WriteRow(string line);

    protected override void ProcessRecord()
    {
        if (InputObject is not { } item)
        {
            return;
        }
        if (names is null)
        {
            names = [.. item.Properties.Where(property => property.IsGettable).Select(property => property.Name)];
            WriteRow(Row(names));
        }
        WriteRow(Row(names.Select(name => LanguagePrimitives.ConvertTo<string>(item.Properties[name]?.Value))));
    }

    private string Row(IEnumerable<string?> fields) =>
        string.Join(Delimiter, fields.Select(field => field is null ? "" : "\"" + field.Replace("\"", "\"\"", StringComparison.Ordinal) + "\""));
}

[Cmdlet(VerbsData.ConvertTo, "Csv")]
public sealed class ConvertToCsvCommand : CsvWritingCommand
{
    protected override void WriteRow(string line) => WriteObject(line);
}

[Cmdlet(VerbsData.Export, "Csv", SupportsShouldProcess = true)]
public sealed class ExportCsvCommand : CsvWritingCommand
{
    private readonly List<string> lines = [];

    [Parameter(Position = 0, Mandatory = true)]
    [Alias("LiteralPath", "PSPath", "LP")]
    public string Path { get; set; } = "";

    [Parameter]
    public object? Encoding { get; set; }

    [Parameter]
    public SwitchParameter Force { get; set; }

    protected override void WriteRow(string line) => lines.Add(line);

    protected override void EndProcessing()
    {
        var path = GetUnresolvedProviderPathFromPSPath(Path);
        if (ShouldProcess(path))
        {
            this.Guard(() => File.WriteAllLines(path, lines, TextEncodings.Parse(Encoding)));
        }
    }
}
