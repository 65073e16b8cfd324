// The -Property arguments that Select-, Sort-, Group-Object and Measure-Object share: names, wildcards, script blocks and
// hashtables with Name (Label) and Expression, evaluated with the engine's own PSPropertyExpression.
using System.Collections;
using System.Management.Automation;

namespace Microsoft.PowerShell.Commands;

/// <summary>One column: how to compute it, what to call it (null: as the property is called), and its sort order if given.</summary>
internal sealed record PropertyColumn(PSPropertyExpression Expression, string? Name, bool? Descending)
{
    public static PropertyColumn Parse(object? argument)
    {
        switch (Unwrap(argument))
        {
            case ScriptBlock script:
                return new PropertyColumn(new PSPropertyExpression(script), script.ToString(), null);
            case IDictionary table:
                return FromTable(table);
            case { } name:
                return new PropertyColumn(new PSPropertyExpression(name.ToString() ?? ""), null, null);
            default:
                throw new PSArgumentNullException("Property");
        }
    }

    /// <summary>The first value for <paramref name="item"/>; null when there is no such property or its evaluation failed.</summary>
    public object? Value(PSObject item) => Expression.GetValues(item) is [{ Exception: null } first, ..] ? first.Result : null;

    private static PropertyColumn FromTable(IDictionary table)
    {
        string? name = null;
        object? expression = null;
        bool? descending = null;
        foreach (DictionaryEntry entry in table)
        {
            var key = entry.Key.ToString() ?? "";
            if (IsShortFor(key, "name") || IsShortFor(key, "label"))
            {
                name = entry.Value?.ToString();
            }
            else if (IsShortFor(key, "expression"))
            {
                expression = Unwrap(entry.Value);
            }
            else if (IsShortFor(key, "descending"))
            {
                descending = LanguagePrimitives.IsTrue(entry.Value);
            }
            else if (IsShortFor(key, "ascending"))
            {
                descending = !LanguagePrimitives.IsTrue(entry.Value);
            }
            else
            {
                throw new PSArgumentException($"The {key} key is not valid.");
            }
        }
        var column = Parse(expression ?? name);
        return column with { Name = name ?? column.Name, Descending = descending };
    }

    private static bool IsShortFor(string key, string word) => key.Length > 0 && word.StartsWith(key, StringComparison.OrdinalIgnoreCase);

    private static object? Unwrap(object? value) => value is PSObject wrapped ? wrapped.BaseObject : value;
}

/// <summary>Orders and equates values as -lt and -eq do, numbers by value, text by the invariant culture.</summary>
internal sealed class ValueComparer(bool caseSensitive) : IComparer<object?>, IEqualityComparer<object?>
{
    public int Compare(object? x, object? y)
    {
        if (LanguagePrimitives.TryCompare(x, y, !caseSensitive, out var result))
        {
            return result;
        }
        var comparison = caseSensitive ? StringComparison.InvariantCulture : StringComparison.InvariantCultureIgnoreCase;
        return string.Compare(x?.ToString(), y?.ToString(), comparison);
    }

    public new bool Equals(object? x, object? y) => Compare(x, y) == 0;

    public int GetHashCode(object? value) => 0; // Equality crosses types (1 equals "1"), so only a linear search is right.
}
