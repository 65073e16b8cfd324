// Entry of the PowerShell engine for tests: arguments in, exit code out. Everything that must happen before the engine's
// own static state is built (telemetry off, UTF-8 without BOM on all three streams) happens here.
using System.Text;

namespace SPMigration.PSHost;

internal static class Program
{
    /// <summary>pwsh's code for a command line that it cannot obey.</summary>
    private const int BadCommandLine = 64;

    private static int Main(string[] args)
    {
        Environment.SetEnvironmentVariable("POWERSHELL_TELEMETRY_OPTOUT", "1");
        Environment.SetEnvironmentVariable("POWERSHELL_UPDATECHECK", "Off");
        Environment.SetEnvironmentVariable("POWERSHELL_DIAGNOSTICS_OPTOUT", "1");
        UseUtf8();

        var line = CommandLine.Parse(args);
        if (line.Problem is { } problem)
        {
            Console.Error.WriteLine(problem);
            return BadCommandLine;
        }
        if (line.WorkingDirectory is { } directory)
        {
            Directory.SetCurrentDirectory(directory);
        }
        return line.Work switch
        {
            Work.Version => ShowVersion(),
            Work.CheckScript => CheckScript.Report.Run(line.Arguments),
            _ => Session.Run(line),
        };
    }

    private static int ShowVersion()
    {
        var version = typeof(System.Management.Automation.PSObject).Assembly.GetName().Version;
        Console.Out.WriteLine($"pshost, engine {version?.ToString(3)}");
        return 0;
    }

    private static void UseUtf8()
    {
        var utf8 = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false);
        try
        {
            Console.OutputEncoding = utf8;
            Console.InputEncoding = utf8;
        }
        catch (IOException)
        {
            // Windows without a console: nothing to switch, the streams below carry the encoding.
            Console.SetOut(new StreamWriter(Console.OpenStandardOutput(), utf8) { AutoFlush = true });
            Console.SetError(new StreamWriter(Console.OpenStandardError(), utf8) { AutoFlush = true });
            Console.SetIn(new StreamReader(Console.OpenStandardInput(), utf8));
        }
    }
}
