// One run of the engine: opens a runspace, runs a file, a command or standard input through Out-Default, and turns the
// outcome into pwsh's exit code. Rules followed: `exit n` wins; else an exception that escaped is 1; else $? of the last
// statement. Ctrl+C stops the running pipeline. Leaves out profiles, history and nested prompts.
using System.Management.Automation;
using System.Management.Automation.Language;
using System.Management.Automation.Runspaces;
using System.Reflection;
using Microsoft.PowerShell;
using SPMigration.PSHost.Host;

namespace SPMigration.PSHost;

internal sealed class Session : IDisposable
{
    private readonly ConsoleHost host;
    private readonly Runspace runspace;
    private readonly Lock gate = new();
    private Pipeline? running;
    private bool escaped;

    private Session(CommandLine line)
    {
        host = new ConsoleHost(new HostInterface(Person.FromEnvironment(line.Interactive)));
        var state = InitialSessionState.CreateDefault2();
        if (OperatingSystem.IsWindows())
        {
            state.ExecutionPolicy = Enum.TryParse<ExecutionPolicy>(line.ExecutionPolicy, ignoreCase: true, out var policy)
                ? policy
                : ExecutionPolicy.Bypass;
        }
        runspace = RunspaceFactory.CreateRunspace(host, state);
        runspace.ThreadOptions = PSThreadOptions.ReuseThread;
        runspace.Open();
        Runspace.DefaultRunspace = runspace;
        if (Environment.GetEnvironmentVariable("PSHOST_CORE_ONLY") == "1")
        {
            LeaveOutStockCommands();
        }
        Console.CancelKeyPress += (_, pressed) =>
        {
            pressed.Cancel = true;
            Stop();
        };
    }

    public static int Run(CommandLine line)
    {
        using var session = new Session(line);
        switch (line.Work)
        {
            case Work.File:
                session.RunFile(line.Text, line.Arguments);
                break;
            case Work.Command:
                session.RunText(line.Text, UsesInput(line.Text));
                break;
        }
        if (line.Work == Work.StandardInput || (line.NoExit && session.host.ExitCode is null))
        {
            session.RunStandardInput();
        }
        return session.host.ExitCode ?? (session.escaped || !session.LastStatementSucceeded() ? 1 : 0);
    }

    public void Dispose() => runspace.Dispose();

    private void RunFile(string path, IReadOnlyList<string> arguments)
    {
        if (!File.Exists(path))
        {
            Console.Error.WriteLine(
                $"The argument '{path}' is not recognized as the name of a script file. Check the spelling of the name, or if a path was included, verify that the path is correct and try again.");
            host.SetShouldExit(64);
            return;
        }
        var full = Path.GetFullPath(path);
        var command = new Command(full, isScript: false, useLocalScope: false);
        foreach (var parameter in ScriptArguments.Bind(arguments))
        {
            command.Parameters.Add(parameter);
        }
        EngineInternals.LetExitEscape(runspace);
        var pipeline = runspace.CreatePipeline();
        pipeline.Commands.Add(command);
        Execute(pipeline, UsesInput(File.ReadAllText(full)));
        if (escaped && host.ExitCode is null)
        {
            host.SetShouldExit(1);
        }
    }

    private void RunText(string text, bool feedInput) =>
        // Only a pipeline that goes into the history leaves its $? behind.
        Execute(runspace.CreatePipeline(text, addToHistory: true), feedInput);

    /// <summary>
    /// Reads statements from standard input; each runs as soon as it parses completely. pwsh waits for an empty line after a
    /// statement of several lines, and drops an unfinished one at the end of the input without a word; here the former runs
    /// at once and the latter is reported.
    /// </summary>
    private void RunStandardInput()
    {
        var statements = new StatementReader();
        while (host.ExitCode is null && NextLine(statements.IsInside) is { } line)
        {
            foreach (var text in statements.Add(line))
            {
                escaped = false;
                RunText(text, feedInput: false);
                if (host.ExitCode is not null)
                {
                    return;
                }
            }
        }
        if (host.ExitCode is null && statements.Rest() is { } rest)
        {
            escaped = false;
            RunText(rest, feedInput: false);
        }
    }

    /// <summary>The next line of input, after a prompt when a person types it.</summary>
    private string? NextLine(bool inside)
    {
        if (!Console.IsInputRedirected)
        {
            using var pipeline = runspace.CreatePipeline(inside ? "'>> '" : "prompt");
            Console.Out.Write(string.Concat(pipeline.Invoke()));
        }
        return Console.In.ReadLine();
    }

    private void Execute(Pipeline pipeline, bool feedInput)
    {
        pipeline.Commands[0].MergeMyResults(PipelineResultTypes.Error, PipelineResultTypes.Output);
        pipeline.Commands.Add(new Command("Out-Default", isScript: false, useLocalScope: true));
        if (Invoke(pipeline, feedInput) is { } problem)
        {
            escaped = true;
            Report(problem);
        }
    }

    /// <summary>Runs a pipeline to its end; returns what escaped from it, and null when it ended or was stopped by Ctrl+C.</summary>
    private Exception? Invoke(Pipeline pipeline, bool feedInput)
    {
        using var done = new ManualResetEventSlim();
        pipeline.StateChanged += (_, change) =>
        {
            if (change.PipelineStateInfo.State is PipelineState.Completed or PipelineState.Failed or PipelineState.Stopped)
            {
                done.Set();
            }
        };
        lock (gate)
        {
            running = pipeline;
        }
        try
        {
            pipeline.InvokeAsync();
            if (feedInput && Console.IsInputRedirected)
            {
                while (pipeline.Input.IsOpen && Console.In.ReadLine() is { } line)
                {
                    pipeline.Input.Write(line);
                }
            }
            pipeline.Input.Close();
            done.Wait();
            return pipeline.PipelineStateInfo.State == PipelineState.Failed ? pipeline.PipelineStateInfo.Reason : null;
        }
        catch (PSInvalidOperationException problem)
        {
            return problem;
        }
        finally
        {
            lock (gate)
            {
                running = null;
            }
            pipeline.Dispose();
        }
    }

    /// <summary>Shows an escaped exception as pwsh does: through the error formatting, so that $ErrorView counts.</summary>
    private void Report(Exception problem)
    {
        var record = problem is IContainsErrorRecord carrier && carrier.ErrorRecord is { } inner
            ? new ErrorRecord(inner, problem)
            : new ErrorRecord(problem, "ConsoleHost.ReportException", ErrorCategory.NotSpecified, null);
        var shown = new PSObject(record);
        EngineInternals.MarkAsError(shown);
        var pipeline = runspace.CreatePipeline();
        pipeline.Commands.Add(new Command("Out-Default", isScript: false, useLocalScope: true));
        pipeline.Input.Write(shown);
        if (Invoke(pipeline, feedInput: false) is not null)
        {
            Console.Error.WriteLine(problem.Message);
        }
    }

    private bool LastStatementSucceeded()
    {
        using var pipeline = runspace.CreatePipeline("$global:?");
        var result = pipeline.Invoke();
        return result.Count == 1 && LanguagePrimitives.IsTrue(result[0]);
    }

    private void Stop()
    {
        lock (gate)
        {
            running?.StopAsync();
        }
    }

    /// <summary>Makes every stock command of this host unknown: what then still works needs nothing but Core.</summary>
    private void LeaveOutStockCommands()
    {
        var stock = typeof(Session).Assembly.GetExportedTypes()
            .Select(type => type.GetCustomAttribute<CmdletAttribute>())
            .OfType<CmdletAttribute>()
            .Select(attribute => attribute.VerbName + "-" + attribute.NounName)
            .ToHashSet(StringComparer.OrdinalIgnoreCase);
        runspace.SessionStateProxy.InvokeCommand.PreCommandLookupAction = (_, lookup) =>
            lookup.StopSearch = stock.Contains(lookup.CommandName[(lookup.CommandName.LastIndexOf('\\') + 1)..]);
    }

    private static bool UsesInput(string text)
    {
        var script = Parser.ParseInput(text, out _, out _);
        return script.Find(
            node => node is VariableExpressionAst variable
                && variable.VariablePath.UserPath.Equals("input", StringComparison.OrdinalIgnoreCase),
            searchNestedScriptBlocks: false) is not null;
    }
}
