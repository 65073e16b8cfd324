// What Windows PowerShell 5.1 on .NET Framework 4.7.2 has: types by the names that scripts write, and their members, read
// from the reference assemblies (NuGet Microsoft.NETFramework.ReferenceAssemblies.net472, PowerShellStandard.Library 5.1.1)
// without running them. Names resolve as in PowerShell: accelerators, then the full name, then with "System." before it.
using System.Management.Automation;
using System.Management.Automation.Language;
using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using TypeAttributes = System.Reflection.TypeAttributes;

namespace SPMigration.PSHost.CheckScript;

internal sealed class Framework : IDisposable
{
    private const BindingFlags Public = BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static | BindingFlags.FlattenHierarchy
        | BindingFlags.IgnoreCase;

    /// <summary>Accelerators of PowerShell 6 and later, unknown to 5.1.</summary>
    private static readonly HashSet<string> NewerAccelerators = new(StringComparer.OrdinalIgnoreCase)
    {
        "short", "ushort", "uint", "ulong", "semver", "Experimental", "ExperimentAction", "NoRunspaceAffinity", "pspropertyexpression",
        "ArgumentCompletions", "ValidateTrustedData", "ordered",
    };

    /// <summary>The assemblies that Windows PowerShell itself has loaded; searched first.</summary>
    private static readonly string[] First = ["mscorlib", "System", "System.Core", "System.Xml", "System.Management.Automation"];

    private readonly MetadataLoadContext context;
    private readonly Dictionary<string, (Assembly Assembly, string Name)> index = new(StringComparer.OrdinalIgnoreCase);
    private readonly Dictionary<string, Type?> found = new(StringComparer.OrdinalIgnoreCase);
    private readonly Dictionary<string, string> accelerators = new(StringComparer.OrdinalIgnoreCase);

    public Framework(string folder)
    {
        var files = Directory.GetFiles(Path.Combine(folder, "net472"), "*.dll")
            .Concat(Directory.GetFiles(Path.Combine(folder, "powershell51"), "*.dll"))
            .OrderBy(file => Array.IndexOf(First, Path.GetFileNameWithoutExtension(file)) is var rank and >= 0 ? rank : First.Length)
            .ToList();
        context = new MetadataLoadContext(new PathAssemblyResolver(files), "mscorlib");
        foreach (var file in files)
        {
            try
            {
                Index(context.LoadFromAssemblyPath(file), file);
            }
            catch (Exception problem) when (problem is BadImageFormatException or InvalidOperationException)
            {
                // System.EnterpriseServices.Wrapper and the like: modules and native parts, no assemblies.
            }
        }
        foreach (var (name, type) in EngineInternals.TypeAccelerators())
        {
            if (!NewerAccelerators.Contains(name) && type.FullName is { } full)
            {
                accelerators[name] = full;
            }
        }
    }

    public void Dispose() => context.Dispose();

    /// <summary>The type that a literal names; null when 5.1 does not have it.</summary>
    public Type? Find(ITypeName name) => name switch
    {
        ArrayTypeName array => MakeArray(Find(array.ElementType), array.Rank),
        GenericTypeName generic => MakeGeneric(
            FindNamed($"{generic.TypeName.FullName}`{generic.GenericArguments.Count}") ?? FindNamed(generic.TypeName.FullName),
            [.. generic.GenericArguments.Select(Find)]),
        _ => FindNamed(name.FullName),
    };

    /// <summary>The type of that name: an accelerator, a full name, or one that lacks only "System.".</summary>
    public Type? FindNamed(string name)
    {
        if (!found.TryGetValue(name, out var type))
        {
            var plain = name.Contains(',', StringComparison.Ordinal) ? name[..name.IndexOf(',', StringComparison.Ordinal)].Trim() : name;
            type = (accelerators.TryGetValue(plain, out var full) ? Search(full) : null) ?? Search(plain) ?? Search("System." + plain);
            found[name] = type;
        }
        return type;
    }

    /// <summary>An attribute by its short or full name.</summary>
    public Type? FindAttribute(ITypeName name) => Find(name) is { } type && IsAttribute(type) ? type : FindNamed(name.FullName + "Attribute") ?? Find(name);

    /// <summary>The public members of a name, of the type and what it inherits, interfaces included.</summary>
    public static IReadOnlyList<MemberInfo> Members(Type type, string name)
    {
        var own = type.GetMember(name, MemberTypes.All, Public);
        return own.Length > 0 || !type.IsInterface
            ? own
            : [.. type.GetInterfaces().SelectMany(parent => parent.GetMember(name, MemberTypes.All, Public))];
    }

    public static bool Implements(Type type, string interfaceName) =>
        type.FullName == interfaceName || type.GetInterfaces().Any(parent => parent.FullName == interfaceName);

    public static bool Derives(Type type, string baseName)
    {
        for (Type? at = type; at is not null; at = at.BaseType)
        {
            if (at.FullName == baseName)
            {
                return true;
            }
        }
        return false;
    }

    /// <summary>Whether a parameter list can take that many arguments.</summary>
    public static bool Takes(MethodBase method, int count)
    {
        var parameters = method.GetParameters();
        var open = parameters.LastOrDefault()?.GetCustomAttributesData().Any(data => data.AttributeType.Name == "ParamArrayAttribute") == true;
        var required = parameters.Count(parameter => !parameter.IsOptional) - (open ? 1 : 0);
        return count >= required && (open || count <= parameters.Length);
    }

    private static bool IsAttribute(Type type) => Derives(type, "System.Attribute");

    private static Type? MakeArray(Type? element, int rank) => rank == 1 ? element?.MakeArrayType() : element?.MakeArrayType(rank);

    private static Type? MakeGeneric(Type? open, Type?[] arguments)
    {
        Type[] known = [.. arguments.OfType<Type>()];
        return open is { IsGenericTypeDefinition: true } && known.Length == arguments.Length && open.GetGenericArguments().Length == known.Length
            ? open.MakeGenericType(known)
            : null;
    }

    private Type? Search(string fullName) =>
        index.TryGetValue(fullName, out var entry) ? entry.Assembly.GetType(entry.Name, throwOnError: false) : null;

    /// <summary>Adds an assembly's public types to the index; reading only names takes a few milliseconds for all of them.</summary>
    private void Index(Assembly assembly, string file)
    {
        using var stream = File.OpenRead(file);
        using var image = new PEReader(stream);
        var reader = image.GetMetadataReader();
        foreach (var handle in reader.TypeDefinitions)
        {
            if (NameOf(reader, reader.GetTypeDefinition(handle)) is { } name)
            {
                _ = index.TryAdd(name, (assembly, name));
            }
        }
    }

    /// <summary>The reflection name of a type that scripts can see; null for one that they cannot.</summary>
    private static string? NameOf(MetadataReader reader, TypeDefinition type)
    {
        var name = reader.GetString(type.Name);
        switch (type.Attributes & TypeAttributes.VisibilityMask)
        {
            case TypeAttributes.Public:
                var space = reader.GetString(type.Namespace);
                return space.Length == 0 ? name : space + "." + name;
            case TypeAttributes.NestedPublic:
                return NameOf(reader, reader.GetTypeDefinition(type.GetDeclaringType())) is { } outer ? outer + "+" + name : null;
            default:
                return null;
        }
    }
}
