// One script, read by the engine's own parser and compared with 5.1 and Framework 4.7.2: what it calls, which types and
// members it names, what it defines. It reports facts; which of them are wrong in which file is for the test to say.
using System.Management.Automation;
using System.Management.Automation.Language;
using System.Reflection;

namespace SPMigration.PSHost.CheckScript;

/// <summary>A command named in a script: Core of 5.1, a function of the same file, or neither.</summary>
internal sealed record CommandUse(string Name, string Kind, int Line, int Column);

/// <summary>A type literal; <see cref="FullName"/> and <see cref="Assembly"/> are null when Framework 4.7.2 lacks it.</summary>
internal sealed record TypeUse(string Name, string? FullName, string? Assembly, bool Found, int Line, int Column);

/// <summary>A member of an evident type, with whether Framework 4.7.2 has it (and an overload for that many arguments).</summary>
internal sealed record MemberUse(string Type, string Member, bool Static, int? Arguments, bool Found, int Line, int Column);

/// <summary>A function and what its comment-based help covers.</summary>
internal sealed record FunctionDefinition(
    string Name, int Line, bool CmdletBinding, IReadOnlyList<string> Parameters, string? Synopsis, string? Description,
    IReadOnlyList<string> HelpParameters, int Examples);

internal sealed record ScriptReport(
    string File, IReadOnlyList<Place> ParseErrors, IReadOnlyList<Place> NonAscii, IReadOnlyList<Place> NewerThan51,
    IReadOnlyList<CommandUse> Commands, IReadOnlyList<Place> DynamicCommands, IReadOnlyList<TypeUse> Types, IReadOnlyList<MemberUse> Members,
    IReadOnlyList<FunctionDefinition> Functions);

internal sealed class ScriptCheck(Framework framework)
{
    /// <summary>Members that PowerShell itself gives to every object.</summary>
    private static readonly HashSet<string> Intrinsic = new(StringComparer.OrdinalIgnoreCase)
    {
        "Count", "Length", "Where", "ForEach", "PSObject", "PSTypeNames", "PSBase", "PSAdapted", "PSExtended",
    };

    public ScriptReport Run(string file)
    {
        var text = System.IO.File.ReadAllText(file);
        var script = Parser.ParseInput(text, file, out var tokens, out var errors);
        var functions = script.FindAll(node => node is FunctionDefinitionAst, searchNestedScriptBlocks: true).Cast<FunctionDefinitionAst>().ToList();
        var local = functions.Select(function => Unscoped(function.Name)).ToHashSet(StringComparer.OrdinalIgnoreCase);
        var commands = script.FindAll(node => node is CommandAst, searchNestedScriptBlocks: true).Cast<CommandAst>().ToList();
        return new ScriptReport(
            file,
            [.. errors.Select(error => Place.At(error.Message, error.Extent))],
            [.. NonAscii(text)],
            [.. NewerSyntax.In(script, tokens)],
            [.. commands.Where(command => command.GetCommandName() is not null).Select(command => Use(command, local))],
            [.. commands.Where(command => command.GetCommandName() is null).Select(command => Place.At(command.CommandElements[0].Extent.Text, command.Extent))],
            [.. Types(script)],
            [.. Members(script)],
            [.. functions.Select(Definition)]);
    }

    private static IEnumerable<Place> NonAscii(string text)
    {
        var (line, column) = (1, 1);
        foreach (var rune in text.EnumerateRunes())
        {
            if (!rune.IsAscii)
            {
                yield return new Place($"U+{rune.Value:X4}", line, column);
            }
            (line, column) = rune.Value == '\n' ? (line + 1, 1) : (line, column + rune.Utf16SequenceLength);
        }
    }

    private static CommandUse Use(CommandAst command, HashSet<string> local)
    {
        var name = command.GetCommandName();
        var kind = local.Contains(name) ? "local" : CoreCommands.Contains(name) ? "core" : "other";
        return new CommandUse(name, kind, command.Extent.StartLineNumber, command.Extent.StartColumnNumber);
    }

    private IEnumerable<TypeUse> Types(ScriptBlockAst script)
    {
        foreach (var node in script.FindAll(_ => true, searchNestedScriptBlocks: true))
        {
            var (name, type) = node switch
            {
                TypeExpressionAst literal => (literal.TypeName, framework.Find(literal.TypeName)),
                TypeConstraintAst constraint => (constraint.TypeName, IsShape(constraint.TypeName) ? typeof(void) : framework.Find(constraint.TypeName)),
                AttributeAst attribute => (attribute.TypeName, framework.FindAttribute(attribute.TypeName)),
                _ => default,
            };
            if (name is not null && type != typeof(void))
            {
                yield return new TypeUse(
                    name.FullName, type?.ToString(), type?.Assembly.GetName().Name, type is not null, node.Extent.StartLineNumber,
                    node.Extent.StartColumnNumber);
            }
        }
    }

    /// <summary>[ordered] and [pscustomobject] before a hashtable are syntax.</summary>
    private static bool IsShape(ITypeName name) => name.FullName.ToUpperInvariant() is "ORDERED" or "PSCUSTOMOBJECT";

    private IEnumerable<MemberUse> Members(ScriptBlockAst script)
    {
        var inference = new Inference(framework);
        foreach (var node in script.FindAll(_ => true, searchNestedScriptBlocks: true))
        {
            if (node is MemberExpressionAst { Member: StringConstantExpressionAst { Value: var name } } member && inference.Owner(member) is { } owner)
            {
                var arguments = member is InvokeMemberExpressionAst call ? call.Arguments?.Count ?? 0 : (int?)null;
                if (Judge(owner, name, member.Static, arguments) is { } found)
                {
                    yield return new MemberUse(
                        owner.ToString(), name, member.Static, arguments, found, member.Extent.StartLineNumber,
                        member.Extent.StartColumnNumber);
                }
            }
            else if (node is AttributeAst attribute && framework.FindAttribute(attribute.TypeName) is { } attributeType)
            {
                foreach (var argument in attribute.NamedArguments)
                {
                    yield return new MemberUse(
                        attributeType.FullName ?? "", argument.ArgumentName, false, null,
                        Framework.Members(attributeType, argument.ArgumentName).Count > 0, argument.Extent.StartLineNumber,
                        argument.Extent.StartColumnNumber);
                }
            }
        }
    }

    /// <summary>Whether the type has the member; null when PowerShell may supply it by itself (keys, enumeration, own members).</summary>
    private static bool? Judge(Type owner, string name, bool isStatic, int? arguments)
    {
        if (isStatic && arguments is { } count && name.Equals("new", StringComparison.OrdinalIgnoreCase))
        {
            return owner.GetConstructors().Any(constructor => Framework.Takes(constructor, count)) || (owner.IsValueType && count == 0);
        }
        var members = Framework.Members(owner, name);
        if (arguments is { } given)
        {
            var methods = members.OfType<MethodInfo>().Where(method => method.IsStatic == isStatic).ToList();
            if (methods.Any(method => Framework.Takes(method, given)))
            {
                return true;
            }
            return methods.Count == 0 && !isStatic && IsOpenTo(owner, name, isCall: true) ? null : false;
        }
        if (members.Any(found => found is not MethodInfo || !isStatic))
        {
            return true;
        }
        return !isStatic && IsOpenTo(owner, name, isCall: false) ? null : false;
    }

    private static bool IsOpenTo(Type owner, string name, bool isCall) => Intrinsic.Contains(name)
        || (!isCall && Framework.Implements(owner, "System.Collections.IDictionary"))
        || (owner.FullName != "System.String" && Framework.Implements(owner, "System.Collections.IEnumerable"))
        || Framework.Derives(owner, "System.IO.FileSystemInfo");

    private static FunctionDefinition Definition(FunctionDefinitionAst function)
    {
        var parameters = function.Body.ParamBlock?.Parameters ?? function.Parameters;
        var help = function.GetHelpContent();
        return new FunctionDefinition(
            function.Name,
            function.Extent.StartLineNumber,
            function.Body.ParamBlock?.Attributes.Any(attribute => attribute.TypeName.Name.Equals("CmdletBinding", StringComparison.OrdinalIgnoreCase)) == true,
            [.. parameters?.Select(parameter => parameter.Name.VariablePath.UserPath) ?? []],
            Trimmed(help?.Synopsis),
            Trimmed(help?.Description),
            [.. help?.Parameters.Keys ?? Enumerable.Empty<string>()],
            help?.Examples.Count ?? 0);
    }

    private static string? Trimmed(string? text) => string.IsNullOrWhiteSpace(text) ? null : text.Trim();

    private static string Unscoped(string name) => name[(name.IndexOf(':', StringComparison.Ordinal) + 1)..];
}

/// <summary>The commands of Microsoft.PowerShell.Core as 5.1 has them, with their aliases.</summary>
internal static class CoreCommands
{
    private static readonly HashSet<string> Newer = new(StringComparer.OrdinalIgnoreCase)
    {
        "Switch-Process", "Get-PSSubsystem", "Get-ExperimentalFeature", "Enable-ExperimentalFeature", "Disable-ExperimentalFeature",
    };

    private static readonly HashSet<string> Names = Read();

    public static bool Contains(string name)
    {
        var plain = name.StartsWith(@"Microsoft.PowerShell.Core\", StringComparison.OrdinalIgnoreCase) ? name[26..] : name;
        return Names.Contains(plain);
    }

    private static HashSet<string> Read()
    {
        var names = typeof(PSObject).Assembly.GetExportedTypes()
            .Select(type => type.GetCustomAttribute<CmdletAttribute>())
            .OfType<CmdletAttribute>()
            .Select(attribute => attribute.VerbName + "-" + attribute.NounName)
            .Where(name => !Newer.Contains(name))
            .ToHashSet(StringComparer.OrdinalIgnoreCase);
        names.UnionWith(["%", "?", "foreach", "where"]);
        return names;
    }
}
