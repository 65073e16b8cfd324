// The type of an expression where it is evident from the script alone: casts, literals, constructors, New-Object, members of
// known types, and variables that have one declared type or whose every assignment in the function has the same one. What is
// not evident is null and is not judged; data flow, pipelines and function results are left out on purpose.
using System.Management.Automation.Language;
using System.Reflection;

namespace SPMigration.PSHost.CheckScript;

internal sealed class Inference(Framework framework)
{
    /// <summary>Members may nest, a chain of this length is no accident but a cycle ($x = $x.Next).</summary>
    private const int MaxDepth = 12;

    private readonly Dictionary<(Ast Scope, string Name), Type?> variables = [];

    public Type? TypeOf(Ast? expression, int depth = 0)
    {
        if (depth > MaxDepth)
        {
            return null;
        }
        return expression switch
        {
            ConvertExpressionAst cast => Declared(cast.Type.TypeName),
            StringConstantExpressionAst or ExpandableStringExpressionAst => framework.FindNamed("string"),
            ConstantExpressionAst { Value: { } value } => framework.FindNamed(value.GetType().FullName ?? ""),
            HashtableAst => framework.FindNamed("System.Collections.Hashtable"),
            ParenExpressionAst paren => TypeOf(paren.Pipeline, depth + 1),
            PipelineAst { PipelineElements: [CommandExpressionAst only] } => TypeOf(only.Expression, depth + 1),
            PipelineAst { PipelineElements: [CommandAst command] } => NewObject(command),
            CommandExpressionAst wrapped => TypeOf(wrapped.Expression, depth + 1),
            BinaryExpressionAst { Operator: TokenKind.As, Right: TypeExpressionAst target } => framework.Find(target.TypeName),
            BinaryExpressionAst { Operator: TokenKind.Format or TokenKind.Join } => framework.FindNamed("string"),
            VariableExpressionAst variable => Variable(variable, depth),
            InvokeMemberExpressionAst call => Call(call, depth),
            MemberExpressionAst member => Property(member, depth),
            IndexExpressionAst index => TypeOf(index.Target, depth + 1) is { IsArray: true } array ? array.GetElementType() : null,
            _ => null,
        };
    }

    /// <summary>The type whose members an expression's member access is looked up in.</summary>
    public Type? Owner(MemberExpressionAst member, int depth = 0) => member.Expression is TypeExpressionAst literal
        ? member.Static ? framework.Find(literal.TypeName) : framework.FindNamed("System.Type")
        : TypeOf(member.Expression, depth + 1);

    /// <summary>A declared type, unless its members are made at run time ([psobject], [object], [xml] …).</summary>
    private Type? Declared(ITypeName name) => framework.Find(name) is { } type && !IsOpen(type) ? type : null;

    private static bool IsOpen(Type type) => type.FullName is "System.Object" or "System.Management.Automation.PSObject"
        or "System.Management.Automation.PSCustomObject" or "System.Management.Automation.PSReference"
        || Framework.Derives(type, "System.Xml.XmlNode");

    private Type? NewObject(CommandAst command)
    {
        if (command.GetCommandName() is not { } name || !name.Equals("New-Object", StringComparison.OrdinalIgnoreCase))
        {
            return null;
        }
        var words = command.CommandElements.Skip(1).ToList();
        var named = words.FindIndex(word => word is CommandParameterAst { ParameterName: var parameter }
            && parameter.Equals("TypeName", StringComparison.OrdinalIgnoreCase));
        var type = (named >= 0 ? words.ElementAtOrDefault(named + 1) : words.FirstOrDefault()) as StringConstantExpressionAst;
        return type is null || framework.FindNamed(type.Value) is not { } known || IsOpen(known) ? null : known;
    }

    private Type? Call(InvokeMemberExpressionAst call, int depth)
    {
        if (Owner(call, depth) is not { } owner || call.Member is not StringConstantExpressionAst { Value: var name })
        {
            return null;
        }
        if (call.Static && name.Equals("new", StringComparison.OrdinalIgnoreCase))
        {
            return IsOpen(owner) ? null : owner;
        }
        var count = call.Arguments?.Count ?? 0;
        return Only(Framework.Members(owner, name).OfType<MethodInfo>().Where(method => Framework.Takes(method, count)).Select(method => method.ReturnType));
    }

    private Type? Property(MemberExpressionAst member, int depth)
    {
        if (Owner(member, depth) is not { } owner || member.Member is not StringConstantExpressionAst { Value: var name })
        {
            return null;
        }
        return Only(Framework.Members(owner, name).Select(found => found switch
        {
            PropertyInfo property => property.PropertyType,
            FieldInfo field => field.FieldType,
            _ => null,
        }));
    }

    private static Type? Only(IEnumerable<Type?> types)
    {
        var distinct = types.Distinct().Take(2).ToList();
        return distinct is [{ } one] && !IsOpen(one) && !one.IsGenericParameter && !one.ContainsGenericParameters ? one : null;
    }

    private Type? Variable(VariableExpressionAst variable, int depth)
    {
        var name = variable.VariablePath.UserPath;
        if (!variable.VariablePath.IsVariable || name.Contains(':', StringComparison.Ordinal))
        {
            return null;
        }
        if (name.Equals("PSCmdlet", StringComparison.OrdinalIgnoreCase))
        {
            return framework.FindNamed("System.Management.Automation.PSCmdlet");
        }
        if (name.Equals("ExecutionContext", StringComparison.OrdinalIgnoreCase))
        {
            return framework.FindNamed("System.Management.Automation.EngineIntrinsics");
        }
        var scope = ScopeOf(variable);
        var key = (scope, name.ToUpperInvariant());
        if (!variables.TryGetValue(key, out var type))
        {
            variables[key] = null; // Breaks cycles; overwritten below.
            type = FromScope(scope, name, depth);
            variables[key] = type;
        }
        return type;
    }

    private Type? FromScope(Ast scope, string name, int depth)
    {
        var parameter = scope.Find(
            node => node is ParameterAst declared && Same(declared.Name, name) && ScopeOf(declared) == scope, searchNestedScriptBlocks: true);
        if (parameter is ParameterAst { } found)
        {
            var constraint = found.Attributes.OfType<TypeConstraintAst>().FirstOrDefault();
            return constraint is null ? null : Declared(constraint.TypeName);
        }
        var types = new HashSet<Type>();
        foreach (var node in scope.FindAll(_ => true, searchNestedScriptBlocks: true).Where(node => ScopeOf(node) == scope))
        {
            switch (node)
            {
                case AssignmentStatementAst { Left: ConvertExpressionAst { Child: VariableExpressionAst target } typed } when Same(target, name):
                    return Declared(typed.Type.TypeName);
                case AssignmentStatementAst { Left: VariableExpressionAst target, Operator: TokenKind.Equals } simple when Same(target, name):
                    if (IsNull(simple.Right))
                    {
                        break;
                    }
                    if (TypeOf(simple.Right, depth + 1) is not { } type)
                    {
                        return null;
                    }
                    types.Add(type);
                    break;
                case AssignmentStatementAst other when other.Left.Find(part => part is VariableExpressionAst target && Same(target, name), false) is not null
                    && other.Left is not (MemberExpressionAst or IndexExpressionAst):
                    return null; // $a, $b = …, $a += …: not evident.
                case ForEachStatementAst loop when Same(loop.Variable, name):
                    return null;
            }
        }
        return types.Count == 1 ? types.First() : null;
    }

    private static bool IsNull(StatementAst statement) => statement is CommandExpressionAst { Expression: VariableExpressionAst variable }
        && Same(variable, "null");

    private static bool Same(VariableExpressionAst variable, string name) =>
        string.Equals(variable.VariablePath.UserPath, name, StringComparison.OrdinalIgnoreCase);

    /// <summary>The function (or the whole script) that a node belongs to; a plain script block sees its parent's variables.</summary>
    private static Ast ScopeOf(Ast node)
    {
        var at = node;
        while (at.Parent is not null && at is not FunctionDefinitionAst)
        {
            at = at.Parent;
        }
        return at;
    }
}
