// What the item cmdlets share: the pair of parameters -Path and -LiteralPath, and the rule that a provider's exception
// becomes this cmdlet's error record (so that ids read "PathNotFound,Microsoft.PowerShell.Commands.GetItemCommand").
using System.Management.Automation;

namespace Microsoft.PowerShell.Commands;

/// <summary>A cmdlet with -Path (wildcards, piped) and its twin -LiteralPath (alias PSPath, piped by property name).</summary>
public abstract class PathPairCommand : PSCmdlet
{
    [Parameter(Position = 0, Mandatory = true, ParameterSetName = "Path", ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    public string[] Path { get; set; } = [];

    [Parameter(ParameterSetName = "LiteralPath", Mandatory = true, ValueFromPipeline = false, ValueFromPipelineByPropertyName = true)]
    [Alias("PSPath", "LP")]
    public string[] LiteralPath
    {
        get => Path;
        set
        {
            Path = value;
            IsLiteral = true;
        }
    }

    protected bool IsLiteral { get; private set; }
}

internal static class ProviderCalls
{
    /// <summary>Runs a provider call; what the provider reports becomes a non-terminating error of <paramref name="cmdlet"/>.</summary>
    public static void Guard(this PSCmdlet cmdlet, Action call)
    {
        try
        {
            call();
        }
        catch (Exception problem) when (IsReport(problem))
        {
            cmdlet.WriteError(new ErrorRecord(((IContainsErrorRecord)problem).ErrorRecord, problem));
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            cmdlet.WriteError(new ErrorRecord(problem, problem.GetType().FullName, ErrorCategory.NotSpecified, null));
        }
    }

    /// <summary>The file-system paths behind PowerShell paths; a path that does not resolve is reported and left out.</summary>
    public static IEnumerable<string> Files(this PSCmdlet cmdlet, IEnumerable<string> paths, bool literal)
    {
        foreach (var path in paths)
        {
            var found = new List<string>();
            cmdlet.Guard(() =>
            {
                if (literal)
                {
                    found.Add(cmdlet.GetUnresolvedProviderPathFromPSPath(path));
                    _ = cmdlet.InvokeProvider.Item.Get([path], force: true, literalPath: true);
                }
                else
                {
                    found.AddRange(cmdlet.GetResolvedProviderPathFromPSPath(path, out _));
                }
            });
            foreach (var file in found)
            {
                yield return file;
            }
        }
    }

    private static bool IsReport(Exception problem) =>
        problem is IContainsErrorRecord and not PipelineStoppedException and not ActionPreferenceStopException
        && problem.GetType().Name is not "StopUpstreamCommandsException";
}
