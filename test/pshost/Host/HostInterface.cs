// What the engine writes and asks through: output, warnings, verbose and debug text on stdout, errors on stderr, progress
// nowhere (pwsh draws progress only on a console). It is plain text when redirected. Every question is refused with pwsh's
// text for -NonInteractive, unless the test host was started with its own switch -Interactive (see Person.cs).
using System.Collections.ObjectModel;
using System.Management.Automation;
using System.Management.Automation.Host;
using System.Security;

namespace SPMigration.PSHost.Host;

internal sealed class HostInterface(Person? person) : PSHostUserInterface, IHostUISupportsMultipleChoiceSelection
{
    private readonly Lock gate = new();

    public override PSHostRawUserInterface RawUI { get; } = new RawInterface();

    public override bool SupportsVirtualTerminal { get; } = !Console.IsOutputRedirected
        && Environment.GetEnvironmentVariable("TERM") is not "dumb"
        && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR"));

    /// <summary>The exception that pwsh throws for any question under -NonInteractive (FullyQualifiedErrorId InvalidOperation).</summary>
    public static PSInvalidOperationException NonInteractive() =>
        new("PowerShell is in NonInteractive mode. Read and Prompt functionality is not available.");

    public override void Write(string value)
    {
        lock (gate)
        {
            Console.Out.Write(Plain(value, SupportsVirtualTerminal));
        }
    }

    public override void WriteLine(string value)
    {
        lock (gate)
        {
            Console.Out.WriteLine(Plain(value, SupportsVirtualTerminal));
        }
    }

    public override void WriteLine() => WriteLine("");

    public override void Write(ConsoleColor foregroundColor, ConsoleColor backgroundColor, string value) => Write(value);

    public override void WriteLine(ConsoleColor foregroundColor, ConsoleColor backgroundColor, string value) => WriteLine(value);

    public override void WriteErrorLine(string value)
    {
        if (string.IsNullOrEmpty(value))
        {
            return;
        }
        lock (gate)
        {
            Console.Error.WriteLine(Plain(value, SupportsVirtualTerminal && !Console.IsErrorRedirected));
        }
    }

    public override void WriteDebugLine(string message) => WriteLine("DEBUG: " + message);

    public override void WriteVerboseLine(string message) => WriteLine("VERBOSE: " + message);

    public override void WriteWarningLine(string message) => WriteLine("WARNING: " + message);

    public override void WriteProgress(long sourceId, ProgressRecord record)
    {
    }

    public override string ReadLine() => Asked().Line(WriteLine);

    public override SecureString ReadLineAsSecureString()
    {
        var secret = new SecureString();
        foreach (var character in Asked().Secret(WriteLine))
        {
            secret.AppendChar(character);
        }
        secret.MakeReadOnly();
        return secret;
    }

    public override int PromptForChoice(string caption, string message, Collection<ChoiceDescription> choices, int defaultChoice)
    {
        var asked = Asked();
        Introduce(caption, message);
        WriteLine(Choices.Describe(choices, defaultChoice));
        return Choices.Pick(asked.Line(WriteLine), choices, defaultChoice);
    }

    public Collection<int> PromptForChoice(
        string? caption, string? message, Collection<ChoiceDescription> choices, IEnumerable<int>? defaultChoices)
    {
        var asked = Asked();
        Introduce(caption, message);
        var fallback = defaultChoices?.ToArray() ?? [];
        WriteLine(Choices.Describe(choices, fallback.Length > 0 ? fallback[0] : -1));
        var answer = asked.Line(WriteLine);
        return answer.Length == 0
            ? new Collection<int>(fallback)
            : new Collection<int>([.. answer.Split(',').Select(part => Choices.Pick(part.Trim(), choices, -1))]);
    }

    public override Dictionary<string, PSObject> Prompt(string caption, string message, Collection<FieldDescription> descriptions)
    {
        var asked = Asked();
        Introduce(caption, message);
        var answersByName = new Dictionary<string, PSObject>();
        foreach (var field in descriptions)
        {
            Write(field.Name + ": ");
            var secret = field.ParameterTypeFullName == typeof(SecureString).FullName;
            object value = secret ? ReadLineAsSecureString() : asked.Line(WriteLine);
            var type = Type.GetType(field.ParameterAssemblyFullName) ?? typeof(string);
            answersByName[field.Name] = PSObject.AsPSObject(secret ? value : LanguagePrimitives.ConvertTo(value, type));
        }
        return answersByName;
    }

    public override PSCredential PromptForCredential(string caption, string message, string userName, string targetName)
    {
        var asked = Asked();
        Introduce(caption, message);
        if (string.IsNullOrEmpty(userName))
        {
            Write("User: ");
            userName = asked.Line(WriteLine);
        }
        Write($"Password for user {userName}: ");
        return new PSCredential(userName, ReadLineAsSecureString());
    }

    public override PSCredential PromptForCredential(
        string caption, string message, string userName, string targetName, PSCredentialTypes allowedCredentialTypes,
        PSCredentialUIOptions options) => PromptForCredential(caption, message, userName, targetName);

    private Person Asked() => person ?? throw NonInteractive();

    private void Introduce(string? caption, string? message)
    {
        if (!string.IsNullOrEmpty(caption))
        {
            WriteLine();
            WriteLine(caption);
        }
        if (!string.IsNullOrEmpty(message))
        {
            WriteLine(message);
        }
    }

    /// <summary>The engine's own rendering: $PSStyle.OutputRendering decides, and "Host" means plain when redirected.</summary>
    private static string Plain(string? value, bool virtualTerminal) => GetOutputString(value ?? "", virtualTerminal);
}
