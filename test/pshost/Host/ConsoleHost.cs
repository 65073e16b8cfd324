// The PSHost that the engine talks to: identity, culture, exit code. It answers to the name ConsoleHost because scripts ask
// for that name to learn whether they run in pwsh itself; PrivateData says what it really is.
using System.Globalization;
using System.Management.Automation;
using System.Management.Automation.Host;

namespace SPMigration.PSHost.Host;

internal sealed class ConsoleHost(HostInterface ui) : System.Management.Automation.Host.PSHost
{
    private readonly CultureInfo culture = CultureInfo.CurrentCulture;
    private readonly CultureInfo uiCulture = CultureInfo.CurrentUICulture;

    /// <summary>Set when a script said <c>exit n</c> at the outermost level; null until then.</summary>
    public int? ExitCode { get; private set; }

    public override string Name => "ConsoleHost";
    public override Version Version => typeof(PSObject).Assembly.GetName().Version ?? new Version(7, 6);
    public override Guid InstanceId { get; } = Guid.NewGuid();
    public override PSHostUserInterface UI => ui;
    public override CultureInfo CurrentCulture => culture;
    public override CultureInfo CurrentUICulture => uiCulture;
    public override PSObject PrivateData { get; } = MakePrivateData();

    public override void SetShouldExit(int exitCode) => ExitCode = exitCode;

    public override void EnterNestedPrompt() => throw new PSNotImplementedException("This host has no nested prompts.");

    public override void ExitNestedPrompt() => throw new PSNotImplementedException("This host has no nested prompts.");

    public override void NotifyBeginApplication()
    {
    }

    public override void NotifyEndApplication()
    {
    }

    private static PSObject MakePrivateData()
    {
        var data = new PSObject();
        data.Properties.Add(new PSNoteProperty("Implementation", "pshost, the test engine of SPMigration"));
        return data;
    }
}
