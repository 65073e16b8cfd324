// The raw console of the host: sizes and colours that formatting asks for. A redirected stream has the width that pwsh
// falls back to; reading keys or cells is refused, as pwsh does without a console.
using System.Management.Automation;
using System.Management.Automation.Host;

namespace SPMigration.PSHost.Host;

internal sealed class RawInterface : PSHostRawUserInterface
{
    private const int FallbackWidth = 80;
    private const int FallbackHeight = 24;

    private static readonly Size Console = Measure();

    public override ConsoleColor ForegroundColor { get; set; } = ConsoleColor.Gray;
    public override ConsoleColor BackgroundColor { get; set; } = ConsoleColor.Black;
    public override Size BufferSize { get; set; } = Console;
    public override Size WindowSize { get; set; } = Console;
    public override Size MaxWindowSize => Console;
    public override Size MaxPhysicalWindowSize => Console;
    public override Coordinates CursorPosition { get; set; }
    public override Coordinates WindowPosition { get; set; }
    public override int CursorSize { get; set; } = 25;
    public override string WindowTitle { get; set; } = "pshost";
    public override bool KeyAvailable => false;

    public override void FlushInputBuffer()
    {
    }

    public override KeyInfo ReadKey(ReadKeyOptions options) => throw HostInterface.NonInteractive();

    public override BufferCell[,] GetBufferContents(Rectangle rectangle) =>
        throw new PSNotImplementedException("This host keeps no screen.");

    public override void SetBufferContents(Coordinates origin, BufferCell[,] contents) =>
        throw new PSNotImplementedException("This host keeps no screen.");

    public override void SetBufferContents(Rectangle rectangle, BufferCell fill)
    {
        // Clear-Host calls this; there is no screen to clear.
    }

    public override void ScrollBufferContents(Rectangle source, Coordinates destination, Rectangle clip, BufferCell fill) =>
        throw new PSNotImplementedException("This host keeps no screen.");

    private static Size Measure()
    {
        if (System.Console.IsOutputRedirected)
        {
            return new Size(FallbackWidth, FallbackHeight);
        }
        try
        {
            return new Size(Math.Max(System.Console.BufferWidth, 20), Math.Max(System.Console.WindowHeight, 10));
        }
        catch (IOException)
        {
            return new Size(FallbackWidth, FallbackHeight);
        }
    }
}
