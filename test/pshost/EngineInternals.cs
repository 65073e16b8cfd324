// The few things of the engine that pwsh's own assemblies reach as friends and that have no public form. Everything that
// needs reflection is here, by name, so that a new engine version breaks in one place and says what is missing.
using System.Management.Automation;
using System.Management.Automation.Runspaces;
using System.Reflection;
using Microsoft.PowerShell.Commands.Internal.Format;

namespace SPMigration.PSHost;

internal static class EngineInternals
{
    private const BindingFlags Any = BindingFlags.Instance | BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic;
    private static readonly Assembly Engine = typeof(PSObject).Assembly;

    /// <summary>Makes `exit n` in a script file end the session with that code, as `pwsh -File` does.</summary>
    public static void LetExitEscape(Runspace runspace)
    {
        var context = Property(typeof(Runspace), "ExecutionContext").GetValue(runspace);
        Property(Type("System.Management.Automation.ExecutionContext"), "ScriptCommandProcessorShouldRethrowExit")
            .SetValue(context, true);
    }

    /// <summary>Marks an object as written to the error stream, so that Out-Default sends it to stderr.</summary>
    public static void MarkAsError(PSObject value)
    {
        var stream = Property(typeof(PSObject), "WriteStream");
        stream.SetValue(value, Enum.Parse(stream.PropertyType, "Error"));
    }

    /// <summary>Gives a formatting cmdlet its engine: "Table", "List", "Wide" or "Complex".</summary>
    public static void UseFormatShape(FrontEndCommandBase command, string shape)
    {
        var kind = Enum.Parse(Type("Microsoft.PowerShell.Commands.Internal.Format.FormatShape"), shape);
        SetImplementation(command, New("Microsoft.PowerShell.Commands.Internal.Format.InnerFormatShapeCommand", kind));
    }

    /// <summary>Gives an output cmdlet an engine that writes formatted lines of a given width to <paramref name="writer"/>.</summary>
    public static void UseLineOutput(FrontEndCommandBase command, TextWriter writer, int columns)
    {
        var lines = New("Microsoft.PowerShell.Commands.Internal.Format.TextWriterLineOutput", writer, columns);
        var manager = New("Microsoft.PowerShell.Commands.Internal.Format.OutputManagerInner");
        Property(manager.GetType(), "LineOutput").SetValue(manager, lines);
        SetImplementation(command, manager);
    }

    /// <summary>The exception by which Select-Object -First stops the commands before it; the engine catches it.</summary>
    public static Exception StopUpstream(Cmdlet requester) =>
        (Exception)New("System.Management.Automation.StopUpstreamCommandsException", requester);

    /// <summary>The short type names that the engine knows ([string], [guid], …).</summary>
    public static Dictionary<string, Type> TypeAccelerators() =>
        Property(Type("System.Management.Automation.TypeAccelerators"), "Get").GetValue(null) as Dictionary<string, Type>
        ?? throw Missing("TypeAccelerators.Get");

    /// <summary>Gives an error record the position and name of the function that reported it, once.</summary>
    public static void AttributeTo(ErrorRecord record, InvocationInfo caller)
    {
        Method(typeof(ErrorRecord), "SetInvocationInfo").Invoke(record, [caller]);
        Property(typeof(ErrorRecord), "PreserveInvocationInfoOnce").SetValue(record, true);
    }

    private static void SetImplementation(FrontEndCommandBase command, object implementation) =>
        Field(typeof(FrontEndCommandBase), "implementation").SetValue(command, implementation);

    private static Type Type(string name) => Engine.GetType(name) ?? throw Missing(name);

    private static object New(string type, params object[] arguments) =>
        Activator.CreateInstance(Type(type), Any & ~BindingFlags.Static, null, arguments, null) ?? throw Missing(type);

    private static PropertyInfo Property(Type type, string name) =>
        type.GetProperty(name, Any) ?? throw Missing(type.FullName + "." + name);

    private static MethodInfo Method(Type type, string name) => type.GetMethod(name, Any) ?? throw Missing(type.FullName + "." + name);

    private static FieldInfo Field(Type type, string name) => type.GetField(name, Any) ?? throw Missing(type.FullName + "." + name);

    private static MissingMemberException Missing(string name) =>
        new($"This version of System.Management.Automation has no {name}: adapt EngineInternals.cs.");
}
