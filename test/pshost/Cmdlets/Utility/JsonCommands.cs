// ConvertTo-Json and ConvertFrom-Json of Microsoft.PowerShell.Utility, on the JSON library that the engine brings, as the
// originals are. Simplified: no -EscapeHandling, no schema; objects are written from their properties only.
using System.Collections;
using System.Globalization;
using System.Management.Automation;
using System.Numerics;
using Newtonsoft.Json;

namespace Microsoft.PowerShell.Commands;

[Cmdlet(VerbsData.ConvertTo, "Json")]
[OutputType(typeof(string))]
public sealed class ConvertToJsonCommand : PSCmdlet
{
    private readonly List<object?> items = [];
    private bool truncated;

    [Parameter(Position = 0, Mandatory = true, ValueFromPipeline = true)]
    [AllowNull]
    public object? InputObject { get; set; }

    [Parameter]
    [ValidateRange(0, 100)]
    public int Depth { get; set; } = 2;

    [Parameter]
    public SwitchParameter Compress { get; set; }

    [Parameter]
    public SwitchParameter EnumsAsStrings { get; set; }

    [Parameter]
    public SwitchParameter AsArray { get; set; }

    protected override void ProcessRecord() => items.Add(InputObject);

    protected override void EndProcessing()
    {
        if (items.Count == 0)
        {
            return;
        }
        using var text = new StringWriter(CultureInfo.InvariantCulture);
        using (var json = new JsonTextWriter(text))
        {
            json.Formatting = Compress ? Formatting.None : Formatting.Indented;
            Write(json, items.Count > 1 || AsArray ? items : items[0], 0);
        }
        if (truncated)
        {
            WriteWarning($"Resulting JSON is truncated as serialization has exceeded the set depth of {Depth}.");
        }
        WriteObject(text.ToString());
    }

    private void Write(JsonTextWriter json, object? value, int depth)
    {
        var raw = value is PSObject wrapped ? wrapped.BaseObject : value;
        switch (raw)
        {
            case null or DBNull:
                json.WriteNull();
                return;
            case string or char or bool or DateTime or DateTimeOffset or Guid or TimeSpan or decimal or float or double:
            case sbyte or byte or short or ushort or int or uint or long or ulong:
                json.WriteValue(raw);
                return;
            case BigInteger big:
                json.WriteRawValue(big.ToString(CultureInfo.InvariantCulture));
                return;
            case Uri uri:
                json.WriteValue(uri.OriginalString);
                return;
            case Enum member when EnumsAsStrings:
                json.WriteValue(member.ToString());
                return;
            case Enum member:
                json.WriteValue(Convert.ToInt64(member, CultureInfo.InvariantCulture));
                return;
        }
        if (depth > Depth)
        {
            truncated = true;
            json.WriteValue(LanguagePrimitives.ConvertTo<string>(value));
            return;
        }
        switch (raw)
        {
            case IDictionary table:
                json.WriteStartObject();
                foreach (DictionaryEntry entry in table)
                {
                    WriteMember(json, entry.Key.ToString() ?? "", entry.Value, depth);
                }
                json.WriteEndObject();
                break;
            case IEnumerable list:
                json.WriteStartArray();
                foreach (var item in list)
                {
                    Write(json, item, depth + 1);
                }
                json.WriteEndArray();
                break;
            default:
                json.WriteStartObject();
                foreach (var property in PSObject.AsPSObject(value).Properties.Where(property => property.IsGettable))
                {
                    WriteMember(json, property.Name, ValueOf(property), depth);
                }
                json.WriteEndObject();
                break;
        }
    }

    private void WriteMember(JsonTextWriter json, string name, object? value, int depth)
    {
        json.WritePropertyName(name);
        Write(json, value, depth + 1);
    }

    private static object? ValueOf(PSPropertyInfo property)
    {
        try
        {
            return property.Value;
        }
        catch (GetValueException)
        {
            return null; // A getter that throws is null in the original too.
        }
    }
}

[Cmdlet(VerbsData.ConvertFrom, "Json")]
public sealed class ConvertFromJsonCommand : PSCmdlet
{
    private readonly List<string> texts = [];

    [Parameter(Position = 0, Mandatory = true, ValueFromPipeline = true)]
    [AllowEmptyString]
    public string InputObject { get; set; } = "";

    [Parameter]
    public SwitchParameter AsHashtable { get; set; }

    [Parameter]
    [ValidateRange(1, int.MaxValue)]
    public int Depth { get; set; } = 1024;

    [Parameter]
    public SwitchParameter NoEnumerate { get; set; }

    protected override void ProcessRecord() => texts.Add(InputObject);

    protected override void EndProcessing()
    {
        // Several inputs are either one text cut into lines or one JSON value each: the first one tells.
        if (texts.Count > 1 && TryParse(texts[0], out _))
        {
            foreach (var text in texts)
            {
                Convert(text);
            }
        }
        else
        {
            Convert(string.Join('\n', texts));
        }
    }

    private void Convert(string text)
    {
        if (string.IsNullOrWhiteSpace(text))
        {
            return;
        }
        try
        {
            WriteObject(Parse(text), enumerateCollection: !NoEnumerate);
        }
        catch (JsonException problem)
        {
            ThrowTerminatingError(new ErrorRecord(
                new ArgumentException("Conversion from JSON failed with error: " + problem.Message, problem),
                "System.ArgumentException", ErrorCategory.NotSpecified, null));
        }
    }

    private bool TryParse(string text, out object? value)
    {
        try
        {
            value = Parse(text);
            return true;
        }
        catch (JsonException)
        {
            value = null;
            return false;
        }
    }

    private object? Parse(string text)
    {
        using var json = new JsonTextReader(new StringReader(text)) { MaxDepth = Depth, DateParseHandling = DateParseHandling.DateTime };
        json.Read();
        var value = Value(json);
        if (json.Read() && json.TokenType != JsonToken.Comment)
        {
            throw new JsonReaderException($"Additional text encountered after finished reading JSON content: {json.Value}. Path '', line {json.LineNumber}, position {json.LinePosition}.");
        }
        return value;
    }

    private object? Value(JsonTextReader json)
    {
        switch (json.TokenType)
        {
            case JsonToken.StartObject:
                return AsHashtable ? Table(json) : Record(json);
            case JsonToken.StartArray:
                var list = new List<object?>();
                while (json.Read() && json.TokenType != JsonToken.EndArray)
                {
                    if (json.TokenType != JsonToken.Comment)
                    {
                        list.Add(Value(json));
                    }
                }
                return list.ToArray();
            case JsonToken.None:
                throw new JsonReaderException("Unexpected end of content.");
            default:
                return json.Value;
        }
    }

    private PSObject Record(JsonTextReader json)
    {
        var record = new PSObject();
        foreach (var (name, value) in Members(json))
        {
            if (name.Length == 0)
            {
                throw new JsonReaderException("The provided JSON includes a property whose name is an empty string, this is only supported using the -AsHashTable switch.");
            }
            if (record.Properties[name] is { } present && !string.Equals(present.Name, name, StringComparison.Ordinal))
            {
                throw new JsonReaderException($"Cannot convert the JSON string because it contains keys with different casing. Please use the -AsHashTable switch instead. The key that was attempted to be added to the existing key '{present.Name}' was '{name}'.");
            }
            record.Properties.Remove(name);
            record.Properties.Add(new PSNoteProperty(name, value));
        }
        return record;
    }

    private OrderedHashtable Table(JsonTextReader json)
    {
        var table = new OrderedHashtable();
        foreach (var (name, value) in Members(json))
        {
            table[name] = value;
        }
        return table;
    }

    private IEnumerable<(string Name, object? Value)> Members(JsonTextReader json)
    {
        while (json.Read() && json.TokenType != JsonToken.EndObject)
        {
            if (json.TokenType == JsonToken.Comment)
            {
                continue;
            }
            var name = json.Value?.ToString() ?? "";
            json.Read();
            yield return (name, Value(json));
        }
    }
}
