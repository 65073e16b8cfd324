// The person at the prompt, for the host's own switch -Interactive: without it every question is refused, as under
// -NonInteractive. With PSHOST_ANSWERS the person is a file, one answer a line, so that a test can play one; when it has no
// further line the question is refused, so that a missing answer fails the test instead of hanging it. Without
// PSHOST_ANSWERS it is whoever sits at standard input.
using System.Collections.ObjectModel;
using System.Management.Automation.Host;
using System.Text;

namespace SPMigration.PSHost.Host;

internal abstract class Person
{
    /// <summary>Who answers in this process; null when nobody does.</summary>
    public static Person? FromEnvironment(bool interactive) => !interactive
        ? null
        : Environment.GetEnvironmentVariable("PSHOST_ANSWERS") is { Length: > 0 } path
            ? new ScriptedPerson(File.ReadAllLines(path))
            : new PersonAtInput();

    /// <summary>An answer that may be seen.</summary>
    public abstract string Line(Action<string> show);

    /// <summary>An answer that must not be seen.</summary>
    public abstract string Secret(Action<string> show);
}

internal sealed class ScriptedPerson(IEnumerable<string> lines) : Person
{
    private readonly Queue<string> lines = new(lines);

    public override string Line(Action<string> show)
    {
        var answer = Next();
        show(answer);
        return answer;
    }

    public override string Secret(Action<string> show)
    {
        var answer = Next();
        show("********");
        return answer;
    }

    private string Next() => lines.TryDequeue(out var answer) ? answer : throw HostInterface.NonInteractive();
}

internal sealed class PersonAtInput : Person
{
    public override string Line(Action<string> show) => Console.In.ReadLine() ?? throw HostInterface.NonInteractive();

    public override string Secret(Action<string> show)
    {
        if (Console.IsInputRedirected)
        {
            return Line(show);
        }
        var typed = new StringBuilder();
        while (Console.ReadKey(intercept: true) is var key && key.Key != ConsoleKey.Enter)
        {
            if (key.Key == ConsoleKey.Backspace)
            {
                typed.Length = Math.Max(typed.Length - 1, 0);
            }
            else if (!char.IsControl(key.KeyChar))
            {
                typed.Append(key.KeyChar);
            }
        }
        show("");
        return typed.ToString();
    }
}

/// <summary>Choices as pwsh shows and reads them: a hot key (the letter after '&amp;') or the whole label.</summary>
internal static class Choices
{
    public static string Describe(Collection<ChoiceDescription> choices, int fallback)
    {
        var shown = choices.Select(choice => $"[{HotKey(choice)}] {Label(choice)}");
        var suffix = fallback >= 0 ? $" (default is \"{HotKey(choices[fallback])}\"): " : ": ";
        return string.Join("  ", shown) + "  [?] Help" + suffix;
    }

    public static int Pick(string answer, Collection<ChoiceDescription> choices, int fallback)
    {
        if (answer.Length == 0 && fallback >= 0)
        {
            return fallback;
        }
        for (var i = 0; i < choices.Count; i++)
        {
            if (string.Equals(answer, HotKey(choices[i]), StringComparison.OrdinalIgnoreCase)
                || string.Equals(answer, Label(choices[i]), StringComparison.OrdinalIgnoreCase))
            {
                return i;
            }
        }
        // pwsh would ask again; a test that answers wrongly should hear of it.
        throw new PromptingException($"'{answer}' is none of the choices: {Describe(choices, fallback)}");
    }

    private static string Label(ChoiceDescription choice) => choice.Label.Replace("&", "", StringComparison.Ordinal);

    private static string HotKey(ChoiceDescription choice)
    {
        var at = choice.Label.IndexOf('&', StringComparison.Ordinal);
        return at >= 0 && at + 1 < choice.Label.Length ? char.ToUpperInvariant(choice.Label[at + 1]).ToString() : Label(choice);
    }
}
