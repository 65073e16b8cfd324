// Cuts standard input into statements for `-Command -`: a line that parses runs by itself; an unfinished one is continued
// with the lines after it until the whole parses. if, try and do may go on with else, catch, while … on the next line, so
// those run when the line after them has come (or an empty one, as in pwsh).
using System.Management.Automation.Language;

namespace SPMigration.PSHost;

internal sealed class StatementReader
{
    private static readonly HashSet<string> Continuations =
        new(["else", "elseif", "catch", "finally"], StringComparer.OrdinalIgnoreCase);

    private string? block;
    private bool mayContinue;

    /// <summary>Whether a statement has begun and not ended.</summary>
    public bool IsInside => block is not null;

    /// <summary>Adds a line; returns the texts that are now complete, in order (complete includes: wrong beyond repair).</summary>
    public IEnumerable<string> Add(string line)
    {
        if (mayContinue && block is not null && !Continues(line))
        {
            var finished = block;
            block = null;
            mayContinue = false;
            yield return finished;
        }
        if (block is null && string.IsNullOrWhiteSpace(line))
        {
            yield break;
        }
        block = block is null ? line : block + "\n" + line;
        var script = Parser.ParseInput(block, out _, out var errors);
        if (errors.Any(error => error.IncompleteInput))
        {
            mayContinue = false;
            yield break;
        }
        mayContinue = errors.Length == 0 && block.Contains('\n') && EndsOpen(script);
        if (!mayContinue)
        {
            var complete = block;
            block = null;
            yield return complete;
        }
    }

    /// <summary>What was begun and not finished when the input ended; null when nothing was.</summary>
    public string? Rest()
    {
        var rest = block;
        block = null;
        return rest;
    }

    private static bool Continues(string line)
    {
        Parser.ParseInput(line, out var tokens, out _);
        return tokens.Length > 0 && Continuations.Contains(tokens[0].Text);
    }

    private static bool EndsOpen(ScriptBlockAst script) => script.EndBlock?.Statements.LastOrDefault() switch
    {
        IfStatementAst { ElseClause: null } => true,
        TryStatementAst { Finally: null } => true,
        _ => false,
    };
}
