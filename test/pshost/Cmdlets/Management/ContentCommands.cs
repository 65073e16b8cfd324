// Get-, Set-, Add- and Clear-Content of Microsoft.PowerShell.Management for files, and reading and writing for the other
// drives through their providers. Text is UTF-8 without BOM unless -Encoding says otherwise; a BOM wins when reading.
// Simplified: no -Wait, -Delimiter, -Stream; -Encoding knows the names of pwsh 7.
using System.Collections;
using System.Management.Automation;
using System.Management.Automation.Provider;
using System.Text;

namespace Microsoft.PowerShell.Commands;

internal static class TextEncodings
{
    /// <summary>The encoding of an -Encoding argument: a name of pwsh 7 (utf8, utf8BOM, unicode, ascii, …) or an Encoding.</summary>
    public static Encoding Parse(object? value) => value switch
    {
        null => new UTF8Encoding(encoderShouldEmitUTF8Identifier: false),
        Encoding encoding => encoding,
        PSObject { BaseObject: Encoding encoding } => encoding,
        _ => value.ToString()?.ToUpperInvariant() switch
        {
            "UTF8" or "UTF8NOBOM" or "DEFAULT" => new UTF8Encoding(encoderShouldEmitUTF8Identifier: false),
            "UTF8BOM" => new UTF8Encoding(encoderShouldEmitUTF8Identifier: true),
            "ASCII" => Encoding.ASCII,
            "UNICODE" => Encoding.Unicode,
            "BIGENDIANUNICODE" => Encoding.BigEndianUnicode,
            "UTF32" => Encoding.UTF32,
            "LATIN1" => Encoding.Latin1,
            _ => Encoding.GetEncoding(value.ToString() ?? ""),
        },
    };
}

[Cmdlet(VerbsCommon.Get, "Content", DefaultParameterSetName = "Path")]
public sealed class GetContentCommand : PathPairCommand
{
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [Alias("First", "Head")]
    public long TotalCount { get; set; } = -1;

    [Parameter(ValueFromPipelineByPropertyName = true)]
    [Alias("Last")]
    public int Tail { get; set; } = -1;

    [Parameter]
    public SwitchParameter Raw { get; set; }

    [Parameter]
    public SwitchParameter AsByteStream { get; set; }

    [Parameter]
    public object? Encoding { get; set; }

    [Parameter]
    public SwitchParameter Force { get; set; }

    protected override void ProcessRecord()
    {
        foreach (var path in Path)
        {
            this.Guard(() => Read(path));
        }
    }

    private void Read(string path)
    {
        foreach (var item in InvokeProvider.Item.Get([path], force: true, IsLiteral))
        {
            switch (item.BaseObject)
            {
                case FileInfo file:
                    ReadFile(item, file.FullName);
                    break;
                case DirectoryInfo folder:
                    WriteError(new ErrorRecord(
                        new UnauthorizedAccessException($"Unable to get content because it is a directory: '{folder.FullName}'. Please use 'Get-ChildItem' instead."),
                        "GetContainerContentException", ErrorCategory.InvalidOperation, folder.FullName));
                    break;
                default:
                    ReadProvider(item.Properties["PSPath"]?.Value?.ToString() ?? path);
                    break;
            }
        }
    }

    private void ReadFile(PSObject item, string file)
    {
        if (AsByteStream)
        {
            WriteObject(File.ReadAllBytes(file), enumerateCollection: !Raw);
            return;
        }
        var encoding = TextEncodings.Parse(Encoding);
        if (Raw)
        {
            var whole = File.ReadAllText(file, encoding);
            if (whole.Length > 0)
            {
                WriteObject(Origin(whole, item, 1));
            }
            return;
        }
        IEnumerable<string> lines = File.ReadLines(file, encoding);
        lines = Tail >= 0 ? lines.TakeLast(Tail) : TotalCount >= 0 ? lines.Take((int)TotalCount) : lines;
        long count = 0;
        foreach (var line in lines)
        {
            WriteObject(Origin(line, item, ++count));
        }
    }

    private void ReadProvider(string path)
    {
        foreach (var reader in InvokeProvider.Content.GetReader(path))
        {
            WriteObject(reader.Read(0), enumerateCollection: true);
            reader.Close();
        }
    }

    /// <summary>The notes that the original hangs on each line: where it came from and its number.</summary>
    private static PSObject Origin(string text, PSObject item, long readCount)
    {
        var line = new PSObject(text);
        foreach (var name in (string[])["PSPath", "PSParentPath", "PSChildName", "PSDrive", "PSProvider"])
        {
            if (item.Properties[name] is { } note)
            {
                line.Properties.Add(new PSNoteProperty(name, note.Value));
            }
        }
        line.Properties.Add(new PSNoteProperty("ReadCount", readCount));
        return line;
    }
}

/// <summary>Set-Content and Add-Content: values to lines.</summary>
public abstract class WriteContentCommandBase : PathPairCommand
{
    private readonly List<object?> values = [];

    [Parameter(Position = 1, Mandatory = true, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [AllowNull]
    [AllowEmptyCollection]
    public object?[]? Value { get; set; }

    [Parameter]
    public SwitchParameter NoNewline { get; set; }

    [Parameter]
    public SwitchParameter AsByteStream { get; set; }

    [Parameter]
    public object? Encoding { get; set; }

    [Parameter]
    public SwitchParameter PassThru { get; set; }

    [Parameter]
    public SwitchParameter Force { get; set; }

    protected abstract FileMode Mode { get; }

    protected abstract string Action { get; }

    protected override void ProcessRecord() => values.AddRange(Value ?? [null]);

    protected override void EndProcessing()
    {
        foreach (var path in Path)
        {
            this.Guard(() => Write(path));
        }
        if (PassThru)
        {
            WriteObject(values, enumerateCollection: true);
        }
    }

    private void Write(string path)
    {
        var full = SessionState.Path.GetUnresolvedProviderPathFromPSPath(path, out var provider, out _);
        if (provider.Name != FileSystemProvider.ProviderName)
        {
            foreach (IContentWriter writer in InvokeProvider.Content.GetWriter(path))
            {
                writer.Write((IList)values);
                writer.Close();
            }
            return;
        }
        foreach (var target in IsLiteral || !WildcardPattern.ContainsWildcardCharacters(path) ? [full] : this.Files([path], literal: false))
        {
            if (!ShouldProcess($"Path: {target}", Action))
            {
                continue;
            }
            using var stream = new FileStream(target, Mode, FileAccess.Write, FileShare.Read);
            if (AsByteStream)
            {
                stream.Write([.. values.Select(value => LanguagePrimitives.ConvertTo<byte>(value))]);
                continue;
            }
            using var text = new StreamWriter(stream, TextEncodings.Parse(Encoding));
            foreach (var value in values)
            {
                text.Write(LanguagePrimitives.ConvertTo<string>(value) ?? "");
                if (!NoNewline)
                {
                    text.WriteLine();
                }
            }
        }
    }
}

[Cmdlet(VerbsCommon.Set, "Content", DefaultParameterSetName = "Path", SupportsShouldProcess = true)]
public sealed class SetContentCommand : WriteContentCommandBase
{
    protected override FileMode Mode => FileMode.Create;

    protected override string Action => "Set Content";
}

[Cmdlet(VerbsCommon.Add, "Content", DefaultParameterSetName = "Path", SupportsShouldProcess = true)]
public sealed class AddContentCommand : WriteContentCommandBase
{
    protected override FileMode Mode => FileMode.Append;

    protected override string Action => "Add Content";
}

[Cmdlet(VerbsCommon.Clear, "Content", DefaultParameterSetName = "Path", SupportsShouldProcess = true)]
public sealed class ClearContentCommand : PathPairCommand
{
    protected override void ProcessRecord()
    {
        foreach (var path in Path)
        {
            if (ShouldProcess(path, "Clear Content"))
            {
                this.Guard(() => InvokeProvider.Content.Clear(path));
            }
        }
    }
}
