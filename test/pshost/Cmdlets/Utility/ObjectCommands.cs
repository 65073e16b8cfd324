// New-Object, Add-Member, Get-Member and Add-Type of Microsoft.PowerShell.Utility. Simplified: no -ComObject; Add-Type loads
// assemblies but compiles nothing; Get-Member shows name, kind and definition and filters by -Name and -MemberType.
using System.Collections;
using System.Management.Automation;
using System.Reflection;

namespace Microsoft.PowerShell.Commands;

[Cmdlet(VerbsCommon.New, "Object", DefaultParameterSetName = "Net")]
public sealed class NewObjectCommand : PSCmdlet
{
    [Parameter(Position = 0, Mandatory = true, ParameterSetName = "Net")]
    [ValidateTrustedData]
    public string TypeName { get; set; } = "";

    [Parameter(Position = 1)]
    [Alias("Args")]
    public object[] ArgumentList { get; set; } = [];

    [Parameter]
    public IDictionary? Property { get; set; }

    protected override void BeginProcessing()
    {
        if (!LanguagePrimitives.TryConvertTo<Type>(TypeName, out var type))
        {
            ThrowTerminatingError(new ErrorRecord(
                new PSArgumentException($"Cannot find type [{TypeName}]: verify that the assembly containing this type is loaded."),
                "TypeNotFound", ErrorCategory.InvalidType, null));
        }
        try
        {
            // The engine's own overload resolution, as [T]::new() has it.
            var made = type == typeof(PSObject) && ArgumentList is []
                ? new PSObject()
                : PSObject.AsPSObject(InvokeCommand.NewScriptBlock("param($type, $list) , $type::new.Invoke([object[]]$list)")
                    .InvokeReturnAsIs(type, ArgumentList.Select(Unwrap).ToArray()));
            foreach (DictionaryEntry entry in Property ?? new Hashtable())
            {
                SetMember(made, entry.Key.ToString() ?? "", entry.Value);
            }
            WriteObject(made);
        }
        catch (MethodException problem)
        {
            ThrowTerminatingError(new ErrorRecord(problem, "ConstructorInvokedThrowException,Microsoft.PowerShell.Commands.NewObjectCommand", ErrorCategory.InvalidOperation, null));
        }
    }

    private static void SetMember(PSObject made, string name, object? value)
    {
        if (made.Properties[name] is { } property)
        {
            property.Value = value;
        }
        else if (made.BaseObject is PSCustomObject)
        {
            made.Properties.Add(new PSNoteProperty(name, value));
        }
        else
        {
            throw new PSArgumentException($"The member \"{name}\" was not found for the specified .NET object.");
        }
    }

    private static object? Unwrap(object? value) => value is PSObject { BaseObject: not PSCustomObject } wrapped ? wrapped.BaseObject : value;
}

[Cmdlet(VerbsCommon.Add, "Member", DefaultParameterSetName = "TypeNameSet")]
public sealed class AddMemberCommand : PSCmdlet
{
    [Parameter(Mandatory = true, ValueFromPipeline = true)]
    public PSObject? InputObject { get; set; }

    [Parameter(Position = 0, Mandatory = true, ParameterSetName = "MemberSet")]
    [Alias("Type")]
    public PSMemberTypes MemberType { get; set; }

    [Parameter(Position = 1, Mandatory = true, ParameterSetName = "MemberSet")]
    public string Name { get; set; } = "";

    [Parameter(Position = 2, ParameterSetName = "MemberSet")]
    public object? Value { get; set; }

    [Parameter(Position = 3, ParameterSetName = "MemberSet")]
    public object? SecondValue { get; set; }

    [Parameter(Position = 0, Mandatory = true, ParameterSetName = "NotePropertySingleMemberSet")]
    public string NotePropertyName { get; set; } = "";

    [Parameter(Position = 1, Mandatory = true, ParameterSetName = "NotePropertySingleMemberSet")]
    [AllowNull]
    public object? NotePropertyValue { get; set; }

    [Parameter(Position = 0, Mandatory = true, ParameterSetName = "NotePropertyMultiMemberSet")]
    public IDictionary? NotePropertyMembers { get; set; }

    [Parameter(Mandatory = true, ParameterSetName = "TypeNameSet")]
    [Parameter(ParameterSetName = "MemberSet")]
    [Parameter(ParameterSetName = "NotePropertySingleMemberSet")]
    [Parameter(ParameterSetName = "NotePropertyMultiMemberSet")]
    public string? TypeName { get; set; }

    [Parameter]
    public SwitchParameter Force { get; set; }

    [Parameter]
    public SwitchParameter PassThru { get; set; }

    protected override void ProcessRecord()
    {
        if (InputObject is not { } item)
        {
            return;
        }
        foreach (var member in NewMembers())
        {
            if (item.Members[member.Name] is not null)
            {
                if (!Force)
                {
                    WriteError(new ErrorRecord(
                        new InvalidOperationException($"Cannot add a member with the name \"{member.Name}\" because a member with that name already exists. To overwrite the member anyway, add the Force parameter to your command."),
                        "MemberAlreadyExists", ErrorCategory.InvalidOperation, item));
                    continue;
                }
                item.Members.Remove(member.Name);
            }
            item.Members.Add(member);
        }
        if (TypeName is not null)
        {
            item.TypeNames.Insert(0, TypeName);
        }
        if (PassThru)
        {
            WriteObject(item);
        }
    }

    private IEnumerable<PSMemberInfo> NewMembers() => ParameterSetName switch
    {
        "NotePropertySingleMemberSet" => [new PSNoteProperty(NotePropertyName, NotePropertyValue)],
        "NotePropertyMultiMemberSet" => (NotePropertyMembers ?? new Hashtable()).Cast<DictionaryEntry>()
            .Select(entry => new PSNoteProperty(entry.Key.ToString(), entry.Value)),
        "MemberSet" => [NewMember()],
        _ => [],
    };

    private PSMemberInfo NewMember() => MemberType switch
    {
        PSMemberTypes.NoteProperty => new PSNoteProperty(Name, Value),
        PSMemberTypes.AliasProperty => new PSAliasProperty(Name, LanguagePrimitives.ConvertTo<string>(Value)),
        PSMemberTypes.ScriptProperty => new PSScriptProperty(Name, Script(Value), Script(SecondValue)),
        PSMemberTypes.ScriptMethod => new PSScriptMethod(Name, Script(Value)),
        _ => throw new PSNotSupportedException($"This host's Add-Member cannot add a {MemberType}."),
    };

    private static ScriptBlock? Script(object? value) => LanguagePrimitives.ConvertTo<ScriptBlock?>(value);
}

/// <summary>One row of Get-Member; the engine has a view for this type name.</summary>
public sealed record MemberDefinition(string TypeName, string Name, PSMemberTypes MemberType, string Definition);

[Cmdlet(VerbsCommon.Get, "Member")]
[OutputType(typeof(MemberDefinition))]
public sealed class GetMemberCommand : PSCmdlet
{
    private readonly HashSet<string> seen = new(StringComparer.OrdinalIgnoreCase);

    [Parameter(ValueFromPipeline = true)]
    public PSObject? InputObject { get; set; }

    [Parameter(Position = 0)]
    public string[] Name { get; set; } = ["*"];

    [Parameter]
    [Alias("Type")]
    public PSMemberTypes MemberType { get; set; } = PSMemberTypes.All;

    [Parameter]
    public SwitchParameter Static { get; set; }

    [Parameter]
    public SwitchParameter Force { get; set; }

    protected override void ProcessRecord()
    {
        if (InputObject is not { } item)
        {
            return;
        }
        var typeName = item.TypeNames.FirstOrDefault() ?? "";
        if (!seen.Add(typeName))
        {
            return;
        }
        foreach (var row in (Static ? StaticMembers(item, typeName) : Members(item, typeName)).OrderBy(row => row.MemberType).ThenBy(row => row.Name))
        {
            if ((MemberType & row.MemberType) != 0 && Name.Any(pattern => WildcardPattern.Get(pattern, WildcardOptions.IgnoreCase).IsMatch(row.Name)))
            {
                WriteObject(row);
            }
        }
    }

    protected override void EndProcessing()
    {
        if (seen.Count == 0)
        {
            WriteError(new ErrorRecord(
                new InvalidOperationException("You must specify an object for the Get-Member cmdlet."), "NoObjectInGetMember",
                ErrorCategory.CloseError, null));
        }
    }

    private IEnumerable<MemberDefinition> Members(PSObject item, string typeName) => item.Members
        .Where(member => Force || !IsAccessor(member.Name))
        .Select(member => new MemberDefinition(typeName, member.Name, member.MemberType, member.ToString() ?? ""));

    private static IEnumerable<MemberDefinition> StaticMembers(PSObject item, string typeName) =>
        ((item.BaseObject as Type) ?? item.BaseObject.GetType()).GetMembers(BindingFlags.Public | BindingFlags.Static | BindingFlags.FlattenHierarchy)
        .Where(member => !IsAccessor(member.Name))
        .Select(member => new MemberDefinition(
            typeName, member.Name, member is MethodInfo ? PSMemberTypes.Method : PSMemberTypes.Property, "static " + member));

    private static bool IsAccessor(string name) => name.StartsWith("get_", StringComparison.Ordinal)
        || name.StartsWith("set_", StringComparison.Ordinal) || name.StartsWith("op_", StringComparison.Ordinal)
        || name.StartsWith("add_", StringComparison.Ordinal) || name.StartsWith("remove_", StringComparison.Ordinal)
        || name.StartsWith("psbase", StringComparison.Ordinal) || name.StartsWith("psadapted", StringComparison.Ordinal)
        || name is "psextended" or "psobject" or "pstypenames";
}

[Cmdlet(VerbsCommon.Add, "Type", DefaultParameterSetName = "FromAssemblyName")]
public sealed class AddTypeCommand : PSCmdlet
{
    [Parameter(Mandatory = true, ParameterSetName = "FromAssemblyName")]
    [Alias("AN")]
    public string[] AssemblyName { get; set; } = [];

    [Parameter(Position = 0, Mandatory = true, ParameterSetName = "FromPath")]
    [Alias("LiteralPath", "PSPath", "LP")]
    public string[] Path { get; set; } = [];

    protected override void EndProcessing()
    {
        foreach (var name in AssemblyName)
        {
            _ = Assembly.Load(new AssemblyName(name));
        }
        foreach (var path in Path)
        {
            _ = Assembly.LoadFrom(GetUnresolvedProviderPathFromPSPath(path));
        }
    }
}
