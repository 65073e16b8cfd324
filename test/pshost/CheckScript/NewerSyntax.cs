// Syntax that Windows PowerShell 5.1 does not have, and the few 5.0 keywords that the module does not use (class, enum,
// using: blocked or slow under Constrained Language). One entry per place, named as in PowerShell's own documentation.
using System.Management.Automation.Language;
using System.Text.RegularExpressions;

namespace SPMigration.PSHost.CheckScript;

/// <summary>One finding: what was written and where (line and column count from 1).</summary>
internal sealed record Place(string Name, int Line, int Column)
{
    public static Place At(string name, IScriptExtent extent) => new(name, extent.StartLineNumber, extent.StartColumnNumber);
}

internal static partial class NewerSyntax
{
    private static readonly HashSet<string> NewerVariables = new(StringComparer.OrdinalIgnoreCase)
    {
        "IsWindows", "IsLinux", "IsMacOS", "IsCoreCLR", "PSStyle", "EnabledExperimentalFeatures",
        "PSNativeCommandUseErrorActionPreference", "PSNativeCommandArgumentPassing",
    };

    /// <summary>Parameters of Core commands that came after 5.1.</summary>
    private static readonly Dictionary<string, string[]> NewerParameters = new(StringComparer.OrdinalIgnoreCase)
    {
        ["ForEach-Object"] = ["Parallel", "ThrottleLimit", "TimeoutSeconds", "AsJob", "UseNewRunspace"],
        ["%"] = ["Parallel", "ThrottleLimit", "TimeoutSeconds", "AsJob", "UseNewRunspace"],
        ["Where-Object"] = ["Not"],
        ["?"] = ["Not"],
        ["where"] = ["Not"],
        ["Get-Command"] = ["UseFuzzyMatching", "FuzzyMinimumDistance", "UseAbbreviationExpansion"],
        ["Import-Module"] = ["SkipEditionCheck", "UseWindowsPowerShell"],
        ["Get-Module"] = ["SkipEditionCheck"],
        ["Start-Job"] = ["WorkingDirectory"],
    };

    public static IEnumerable<Place> In(ScriptBlockAst script, Token[] tokens) =>
        script.FindAll(_ => true, searchNestedScriptBlocks: true).SelectMany(OfNode).Concat(Flatten(tokens).SelectMany(OfToken));

    private static IEnumerable<Place> OfNode(Ast node)
    {
        var name = node switch
        {
            TernaryExpressionAst => "ternary operator",
            PipelineChainAst => "pipeline chain && ||",
            BinaryExpressionAst { Operator: TokenKind.QuestionQuestion } => "null-coalescing ??",
            AssignmentStatementAst { Operator: TokenKind.QuestionQuestionEquals } => "null-coalescing assignment ??=",
            InvokeMemberExpressionAst { GenericTypeArguments: not null } => "generic method arguments",
            MemberExpressionAst { NullConditional: true } => "null-conditional ?.",
            IndexExpressionAst { NullConditional: true } => "null-conditional ?[]",
            ScriptBlockAst { CleanBlock: not null } => "clean block",
            PipelineAst { Background: true } => "background operator &",
            TypeDefinitionAst { IsEnum: true } => "enum",
            TypeDefinitionAst => "class",
            UsingStatementAst => "using",
            VariableExpressionAst variable when NewerVariables.Contains(variable.VariablePath.UserPath) => "variable $" + variable.VariablePath.UserPath,
            _ => null,
        };
        if (name is not null)
        {
            yield return Place.At(name, node.Extent);
        }
        if (node is CommandAst command && command.GetCommandName() is { } called && NewerParameters.TryGetValue(called, out var newer))
        {
            foreach (var parameter in command.CommandElements.OfType<CommandParameterAst>()
                .Where(parameter => newer.Contains(parameter.ParameterName, StringComparer.OrdinalIgnoreCase)))
            {
                yield return Place.At($"{called} -{parameter.ParameterName}", parameter.Extent);
            }
        }
    }

    private static IEnumerable<Place> OfToken(Token token)
    {
        if (token is NumberToken && NewerNumber().IsMatch(token.Text))
        {
            yield return Place.At("number literal " + token.Text, token.Extent);
        }
        if (token is StringExpandableToken && NewerEscape().IsMatch(token.Text))
        {
            yield return Place.At("escape `e or `u{}", token.Extent);
        }
    }

    private static IEnumerable<Token> Flatten(IEnumerable<Token> tokens) => tokens.SelectMany(
        token => token is StringExpandableToken { NestedTokens: { } nested } ? Flatten(nested).Prepend(token) : [token]);

    [GeneratedRegex("^[+-]?(0b[01]+|.*?[0-9a-f](u|ul|uy|us|y|s|n)(kb|mb|gb|tb|pb)?)$", RegexOptions.IgnoreCase)]
    private static partial Regex NewerNumber();

    [GeneratedRegex("(?<!`)(``)*`(e|u\\{)")]
    private static partial Regex NewerEscape();
}
