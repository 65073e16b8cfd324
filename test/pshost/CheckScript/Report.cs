namespace SPMigration.PSHost.CheckScript;
internal static class Report { public static int Run(IReadOnlyList<string> files) => 0; }
