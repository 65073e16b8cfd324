// The person at the prompt, for tests only: this is not pwsh. With the switch -Interactive the host takes the next line of
// the file named by PSHOST_ANSWERS as the answer to each question. When the file has no further line, the question is
// refused as in a non-interactive host, so that a missing answer fails the test instead of hanging it.
using System.Collections.ObjectModel;
using System.Management.Automation.Host;

namespace SPMigration.PSHost.Host;

internal sealed class Answers(IEnumerable<string> lines)
{
    private readonly Queue<string> lines = new(lines);

    /// <summary>The answers of the environment, or null when the host plays an unattended session.</summary>
    public static Answers? FromEnvironment(bool interactive) => !interactive
        ? null
        : new Answers(Environment.GetEnvironmentVariable("PSHOST_ANSWERS") is { Length: > 0 } path ? File.ReadAllLines(path) : []);

    public string Line(Action<string> echo)
    {
        if (!lines.TryDequeue(out var answer))
        {
            throw HostInterface.NonInteractive();
        }
        echo(answer);
        return answer;
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
