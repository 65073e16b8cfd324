// ConvertTo-SecureString -AsPlainText, ConvertFrom-SecureString -AsPlainText, Get-Credential, Get- and Set-ExecutionPolicy of
// Microsoft.PowerShell.Security. Left out, and refused with an error: the encrypted text form and -Key, and every scope of a
// policy but the process.
using System.Management.Automation;
using System.Net;
using System.Security;
using Microsoft.PowerShell;

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

/// <summary>The policy of this session, where the engine looks for it: an environment variable, of which child processes inherit a copy.</summary>
internal static class SessionPolicy
{
    private const string Variable = "PSExecutionPolicyPreference";

    public static ExecutionPolicy Get() =>
        Enum.TryParse<ExecutionPolicy>(Environment.GetEnvironmentVariable(Variable), ignoreCase: true, out var policy)
            ? policy
            : ExecutionPolicy.Undefined;

    public static void Set(ExecutionPolicy policy) =>
        Environment.SetEnvironmentVariable(Variable, policy == ExecutionPolicy.Undefined ? null : policy.ToString());
}

[Cmdlet(VerbsCommon.Get, "ExecutionPolicy")]
[OutputType(typeof(ExecutionPolicy))]
public sealed class GetExecutionPolicyCommand : PSCmdlet
{
    protected override void BeginProcessing() =>
        WriteObject(OperatingSystem.IsWindows() ? SessionPolicy.Get() : ExecutionPolicy.Unrestricted);
}

[Cmdlet(VerbsCommon.Set, "ExecutionPolicy", SupportsShouldProcess = true)]
public sealed class SetExecutionPolicyCommand : PSCmdlet
{
    [Parameter(Position = 0, Mandatory = true, ValueFromPipelineByPropertyName = true)]
    public ExecutionPolicy ExecutionPolicy { get; set; }

    [Parameter(Position = 1, ValueFromPipelineByPropertyName = true)]
    public ExecutionPolicyScope Scope { get; set; } = ExecutionPolicyScope.LocalMachine;

    [Parameter]
    public SwitchParameter Force { get; set; }

    protected override void BeginProcessing()
    {
        if (!OperatingSystem.IsWindows())
        {
            throw new PlatformNotSupportedException();
        }
        if (Scope != ExecutionPolicyScope.Process)
        {
            ThrowTerminatingError(new ErrorRecord(
                new PSNotSupportedException("This host sets the execution policy of its own process only."), "NotSupported",
                ErrorCategory.NotImplemented, null));
        }
        var isAgreed = Force || ShouldContinue(
            "The execution policy helps protect you from scripts that you do not trust. Do you want to change the execution policy?",
            "Execution Policy Change");
        if (isAgreed && ShouldProcess(ExecutionPolicy.ToString()))
        {
            SessionPolicy.Set(ExecutionPolicy);
        }
    }
}
