// pshost -CheckScript file…: one JSON document on stdout, { "files": [ … ] }, in the shapes of ScriptCheck.cs (keys in lower
// camel case). The exit code is 0 when all files could be read, whatever was found in them, and 2 when one could not.
using System.Text.Encodings.Web;
using System.Text.Json;

namespace SPMigration.PSHost.CheckScript;

internal static class Report
{
    private const int Unreadable = 2;

    private static readonly JsonSerializerOptions Shape = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        WriteIndented = true,
    };

    public static int Run(IReadOnlyList<string> files)
    {
        using var framework = new Framework(Path.Combine(AppContext.BaseDirectory, "ref"));
        var check = new ScriptCheck(framework);
        var reports = new List<ScriptReport>();
        foreach (var file in files)
        {
            try
            {
                reports.Add(check.Run(file));
            }
            catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
            {
                Console.Error.WriteLine($"{file}: {problem.Message}");
                return Unreadable;
            }
        }
        Console.Out.WriteLine(JsonSerializer.Serialize(new { files = reports }, Shape));
        return 0;
    }
}
