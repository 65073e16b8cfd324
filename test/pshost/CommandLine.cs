// The arguments of the host, read as pwsh reads them: names may be shortened to any unambiguous prefix, -File and -Command
// take everything after them. Implements issue item 7; leaves out what only an interactive pwsh has (profiles, banners,
// window style, remoting, -sta): those are accepted where node-powershell and scripts pass them, and then ignored.
using System.Text;

namespace SPMigration.PSHost;

/// <summary>What the host was asked to run.</summary>
internal enum Work
{
    File,
    Command,
    StandardInput,
    CheckScript,
    Version,
}

/// <summary>The parsed command line; <see cref="Problem"/> is set when it cannot be obeyed.</summary>
internal sealed record CommandLine
{
    public Work Work { get; init; } = Work.StandardInput;
    public string Text { get; init; } = "";
    public IReadOnlyList<string> Arguments { get; init; } = [];
    public bool NoExit { get; init; }
    public bool Interactive { get; init; }
    public string? WorkingDirectory { get; init; }
    public string? ExecutionPolicy { get; init; }
    public string? Problem { get; init; }

    private static readonly string[] Names =
    [
        "file", "command", "encodedcommand", "nologo", "noprofile", "noninteractive", "noexit", "executionpolicy",
        "inputformat", "outputformat", "workingdirectory", "version", "interactive", "checkscript", "login", "sta", "mta",
        "windowstyle", "configurationname", "noprofileloadtime",
    ];

    /// <summary>Short forms of pwsh that are not plain prefixes, or are prefixes of two names.</summary>
    private static readonly Dictionary<string, string> Shorts = new(StringComparer.OrdinalIgnoreCase)
    {
        ["f"] = "file", ["c"] = "command", ["e"] = "encodedcommand", ["ec"] = "encodedcommand", ["enc"] = "encodedcommand",
        ["nop"] = "noprofile", ["noni"] = "noninteractive", ["noe"] = "noexit", ["nol"] = "nologo", ["ex"] = "executionpolicy",
        ["ep"] = "executionpolicy", ["inp"] = "inputformat", ["if"] = "inputformat", ["o"] = "outputformat", ["of"] = "outputformat",
        ["wd"] = "workingdirectory", ["v"] = "version", ["l"] = "login", ["w"] = "windowstyle",
    };

    public static CommandLine Parse(string[] args)
    {
        var line = new CommandLine();
        for (var i = 0; i < args.Length; i++)
        {
            var word = args[i];
            if (word == "-")
            {
                return line with { Work = Work.StandardInput };
            }
            var name = Resolve(word);
            if (name is null)
            {
                // As in pwsh 6 and later: the first word that is no option is a file, and the rest are its arguments.
                return word.StartsWith('-')
                    ? line with { Problem = $"The argument '{word}' is not recognized as the name of an option of this host." }
                    : line with { Work = Work.File, Text = word, Arguments = args[(i + 1)..] };
            }
            string? Value() => i + 1 < args.Length ? args[++i] : null;
            switch (name)
            {
                case "file":
                    return Value() is not { } file
                        ? line with { Problem = "The -File option requires a file path argument." }
                        : file == "-"
                            ? line with { Work = Work.StandardInput }
                            : line with { Work = Work.File, Text = file, Arguments = args[(i + 1)..] };
                case "command":
                    var rest = args[(i + 1)..];
                    return rest is ["-"]
                        ? line with { Work = Work.StandardInput }
                        : rest.Length == 0
                            ? line with { Problem = "The -Command option requires a command." }
                            : line with { Work = Work.Command, Text = string.Join(' ', rest) };
                case "encodedcommand":
                    try
                    {
                        line = line with { Work = Work.Command, Text = Encoding.Unicode.GetString(Convert.FromBase64String(Value() ?? "")) };
                    }
                    catch (FormatException)
                    {
                        return line with { Problem = "The -EncodedCommand option requires base64 of UTF-16LE text." };
                    }
                    break;
                case "checkscript":
                    return line with { Work = Work.CheckScript, Arguments = args[(i + 1)..] };
                case "noexit":
                    line = line with { NoExit = true };
                    break;
                case "interactive":
                    line = line with { Interactive = true };
                    break;
                case "workingdirectory":
                    line = line with { WorkingDirectory = Value() };
                    break;
                case "executionpolicy":
                    line = line with { ExecutionPolicy = Value() };
                    break;
                case "inputformat" or "outputformat" or "windowstyle" or "configurationname":
                    _ = Value();
                    break;
                case "version":
                    return line with { Work = Work.Version };
            }
        }
        return line;
    }

    private static string? Resolve(string word)
    {
        if (word.Length < 2 || (word[0] != '-' && !(OperatingSystem.IsWindows() && word[0] == '/')))
        {
            return null;
        }
        var key = word.TrimStart('-', '/');
        if (Shorts.TryGetValue(key, out var full))
        {
            return full;
        }
        var matches = Names.Where(n => n.StartsWith(key, StringComparison.OrdinalIgnoreCase)).ToArray();
        return matches.Length == 1 ? matches[0] : matches.FirstOrDefault(n => n.Equals(key, StringComparison.OrdinalIgnoreCase));
    }
}
