// ConvertTo-SecureString -AsPlainText, ConvertFrom-SecureString -AsPlainText, Get-Credential and Get-ExecutionPolicy of
// Microsoft.PowerShell.Security. Left out, and refused with an error: the encrypted text form and -Key.
using System.Management.Automation;
using System.Net;
using System.Security;

namespace Microsoft.PowerShell.Commands;

[Cmdlet(VerbsData.ConvertTo, "SecureString", DefaultParameterSetName = "PlainText")]
[OutputType(typeof(SecureString))]
public sealed class ConvertToSecureStringCommand : PSCmdlet
{
    [Parameter(Position = 0, Mandatory = true, ValueFromPipeline = true)]
    public string String { get; set; } = "";

    [Parameter(Position = 1, ParameterSetName = "PlainText")]
    public SwitchParameter AsPlainText { get; set; }

    [Parameter(Position = 2, ParameterSetName = "PlainText")]
    public SwitchParameter Force { get; set; }

    protected override void ProcessRecord()
    {
        if (!AsPlainText)
        {
            ThrowTerminatingError(new ErrorRecord(
                new PSNotSupportedException("This host reads secure strings only with -AsPlainText."), "NotSupported",
                ErrorCategory.NotImplemented, null));
        }
        var secret = new SecureString();
        foreach (var character in String)
        {
            secret.AppendChar(character);
        }
        secret.MakeReadOnly();
        WriteObject(secret);
    }
}

[Cmdlet(VerbsData.ConvertFrom, "SecureString", DefaultParameterSetName = "AsPlainText")]
[OutputType(typeof(string))]
public sealed class ConvertFromSecureStringCommand : PSCmdlet
{
    [Parameter(Position = 0, Mandatory = true, ValueFromPipeline = true)]
    public SecureString? SecureString { get; set; }

    [Parameter]
    public SwitchParameter AsPlainText { get; set; }

    protected override void ProcessRecord()
    {
        if (!AsPlainText)
        {
            ThrowTerminatingError(new ErrorRecord(
                new PSNotSupportedException("This host writes secure strings only with -AsPlainText."), "NotSupported",
                ErrorCategory.NotImplemented, null));
        }
        WriteObject(new NetworkCredential("", SecureString).Password);
    }
}

[Cmdlet(VerbsCommon.Get, "Credential")]
[OutputType(typeof(PSCredential))]
public sealed class GetCredentialCommand : PSCmdlet
{
    [Parameter(Position = 0)]
    [Alias("Credential")]
    public string? UserName { get; set; }

    [Parameter]
    public string Message { get; set; } = "Enter your credentials.";

    [Parameter]
    public string Title { get; set; } = "PowerShell credential request";

    protected override void BeginProcessing() => WriteObject(Host.UI.PromptForCredential(Title, Message, UserName, ""));
}

[Cmdlet(VerbsCommon.Get, "ExecutionPolicy")]
[OutputType(typeof(ExecutionPolicy))]
public sealed class GetExecutionPolicyCommand : PSCmdlet
{
    protected override void BeginProcessing() =>
        WriteObject(OperatingSystem.IsWindows() ? ExecutionPolicy.Bypass : ExecutionPolicy.Unrestricted);
}
