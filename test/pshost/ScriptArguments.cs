// The words after -File, handed to the binder as pwsh hands them: "-Name" stays a name and the engine's own binder pairs it
// with the next word or takes it for a switch; "-Name:value" is a pair, and $true and $false are the only values in it that
// are not plain strings.
using System.Management.Automation.Runspaces;

namespace SPMigration.PSHost;

internal static class ScriptArguments
{
    public static IEnumerable<CommandParameter> Bind(IReadOnlyList<string> words)
    {
        string? pending = null;
        foreach (var word in words)
        {
            if (pending is not null)
            {
                yield return new CommandParameter(pending, word);
                pending = null;
            }
            else if (word.Length > 1 && word[0] == '-')
            {
                var colon = word.IndexOf(':', StringComparison.Ordinal);
                if (colon < 0)
                {
                    yield return new CommandParameter(word);
                }
                else if (colon == word.Length - 1)
                {
                    pending = word[..colon];
                }
                else
                {
                    yield return new CommandParameter(word[..colon], Value(word[(colon + 1)..]));
                }
            }
            else
            {
                yield return new CommandParameter(null, word);
            }
        }
        if (pending is not null)
        {
            yield return new CommandParameter(pending);
        }
    }

    private static object Value(string text) => text.ToUpperInvariant() switch
    {
        "$TRUE" => true,
        "$FALSE" => false,
        _ => text,
    };
}
