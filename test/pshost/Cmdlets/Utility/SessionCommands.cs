// The remaining commands of Microsoft.PowerShell.Utility that examples, demo and tests use: Read-Host, Invoke-Expression,
// Get-, Set- and Remove-Variable, Set-Alias, Get-Host, Get-FileHash, New-Guid and Import-PowerShellDataFile.
using System.Collections;
using System.Management.Automation;
using System.Management.Automation.Language;
using System.Security.Cryptography;

namespace Microsoft.PowerShell.Commands;

[Cmdlet(VerbsCommunications.Read, "Host", DefaultParameterSetName = "AsString")]
[OutputType(typeof(string), typeof(System.Security.SecureString))]
public sealed class ReadHostCommand : PSCmdlet
{
    [Parameter(Position = 0, ValueFromRemainingArguments = true)]
    [AllowNull]
    public object? Prompt { get; set; }

    [Parameter(ParameterSetName = "AsSecureString")]
    public SwitchParameter AsSecureString { get; set; }

    [Parameter(ParameterSetName = "AsString")]
    public SwitchParameter MaskInput { get; set; }

    protected override void BeginProcessing()
    {
        if (Prompt is not null)
        {
            var text = Prompt is IEnumerable parts and not string ? string.Join(' ', parts.Cast<object?>()) : Prompt.ToString();
            Host.UI.Write(text + ": ");
        }
        WriteObject(AsSecureString || MaskInput ? Masked() : Host.UI.ReadLine());
    }

    private object Masked()
    {
        var secret = Host.UI.ReadLineAsSecureString();
        return AsSecureString ? secret : new System.Net.NetworkCredential("", secret).Password;
    }
}

[Cmdlet(VerbsLifecycle.Invoke, "Expression")]
public sealed class InvokeExpressionCommand : PSCmdlet
{
    [Parameter(Position = 0, Mandatory = true, ValueFromPipeline = true)]
    public string Command { get; set; } = "";

    protected override void ProcessRecord()
    {
        var script = InvokeCommand.NewScriptBlock(Command);
        var results = InvokeCommand.InvokeScript(false, script, null);
        WriteObject(results, enumerateCollection: true);
    }
}

[Cmdlet(VerbsCommon.Get, "Variable")]
public sealed class GetVariableCommand : PSCmdlet
{
    [Parameter(Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    public string[] Name { get; set; } = ["*"];

    [Parameter]
    public SwitchParameter ValueOnly { get; set; }

    protected override void ProcessRecord()
    {
        foreach (var name in Name)
        {
            if (WildcardPattern.ContainsWildcardCharacters(name))
            {
                WriteObject(InvokeProvider.Item.Get("variable:" + name), enumerateCollection: true);
            }
            else if (SessionState.PSVariable.Get(name) is { } variable)
            {
                WriteObject(ValueOnly ? variable.Value : variable);
            }
            else
            {
                WriteError(new ErrorRecord(
                    new ItemNotFoundException($"Cannot find a variable with the name '{name}'."), "VariableNotFound",
                    ErrorCategory.ObjectNotFound, name));
            }
        }
    }
}

[Cmdlet(VerbsCommon.Set, "Variable", SupportsShouldProcess = true)]
public sealed class SetVariableCommand : PSCmdlet
{
    [Parameter(Position = 0, Mandatory = true, ValueFromPipelineByPropertyName = true)]
    public string[] Name { get; set; } = [];

    [Parameter(Position = 1, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    public object? Value { get; set; }

    [Parameter]
    public string? Scope { get; set; }

    protected override void ProcessRecord()
    {
        foreach (var name in Name)
        {
            SessionState.PSVariable.Set(Scope is null ? name : Scope + ":" + name, Value);
        }
    }
}

[Cmdlet(VerbsCommon.Remove, "Variable", SupportsShouldProcess = true)]
public sealed class RemoveVariableCommand : PSCmdlet
{
    [Parameter(Position = 0, Mandatory = true, ValueFromPipelineByPropertyName = true)]
    public string[] Name { get; set; } = [];

    [Parameter]
    public SwitchParameter Force { get; set; }

    protected override void ProcessRecord()
    {
        foreach (var name in Name)
        {
            SessionState.PSVariable.Remove(name);
        }
    }
}

[Cmdlet(VerbsCommon.Set, "Alias", SupportsShouldProcess = true)]
public sealed class SetAliasCommand : PSCmdlet
{
    [Parameter(Position = 0, Mandatory = true)]
    public string Name { get; set; } = "";

    [Parameter(Position = 1, Mandatory = true)]
    public string Value { get; set; } = "";

    protected override void ProcessRecord() => InvokeProvider.Item.Set("alias:" + Name, Value);
}

[Cmdlet(VerbsCommon.Get, "Host")]
public sealed class GetHostCommand : PSCmdlet
{
    protected override void BeginProcessing() => WriteObject(Host);
}

/// <summary>One answer of Get-FileHash; the engine has a view for this type name.</summary>
public sealed record FileHashInfo(string Algorithm, string Hash, string Path);

[Cmdlet(VerbsCommon.Get, "FileHash", DefaultParameterSetName = "Path")]
[OutputType(typeof(FileHashInfo))]
public sealed class GetFileHashCommand : PathPairCommand
{
    [Parameter]
    [ValidateSet("SHA1", "SHA256", "SHA384", "SHA512", "MD5")]
    public string Algorithm { get; set; } = "SHA256";

    protected override void ProcessRecord()
    {
        foreach (var file in this.Files(Path, IsLiteral))
        {
            this.Guard(() =>
            {
                using var stream = File.OpenRead(file);
                var hash = CryptographicOperations.HashData(new HashAlgorithmName(Algorithm.ToUpperInvariant()), stream);
                WriteObject(new FileHashInfo(Algorithm, Convert.ToHexString(hash), file));
            });
        }
    }
}

[Cmdlet(VerbsCommon.New, "Guid")]
[OutputType(typeof(Guid))]
public sealed class NewGuidCommand : PSCmdlet
{
    protected override void EndProcessing() => WriteObject(Guid.NewGuid());
}

[Cmdlet(VerbsData.Import, "PowerShellDataFile", DefaultParameterSetName = "Path")]
[OutputType(typeof(Hashtable))]
public sealed class ImportPowerShellDataFileCommand : PathPairCommand
{
    protected override void ProcessRecord()
    {
        foreach (var file in this.Files(Path, IsLiteral))
        {
            var script = Parser.ParseFile(file, out _, out var errors);
            if (errors.Length == 0 && script.Find(node => node is HashtableAst, searchNestedScriptBlocks: false) is HashtableAst table)
            {
                WriteObject(table.SafeGetValue());
            }
            else
            {
                WriteError(new ErrorRecord(
                    new InvalidOperationException($"The file '{file}' could not be parsed as a PowerShell Data File."),
                    "CouldNotParseAsPowerShellDataFile", ErrorCategory.InvalidData, file));
            }
        }
    }
}
