// Get-Date, New-TimeSpan and Start-Sleep of Microsoft.PowerShell.Utility. Simplified: -UFormat knows the specifiers that
// scripts use (Y m d H M S y e j s Z F T D and the plain ones of -Format), no -Calendar.
using System.Globalization;
using System.Management.Automation;
using System.Text;

namespace Microsoft.PowerShell.Commands;

/// <summary>Which part of a date is shown.</summary>
public enum DisplayHintType
{
    Date,
    Time,
    DateTime,
}

[Cmdlet(VerbsCommon.Get, "Date", DefaultParameterSetName = "DateAndFormat")]
[OutputType(typeof(DateTime), typeof(string))]
public sealed class GetDateCommand : PSCmdlet
{
    [Parameter(Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [Alias("LastWriteTime")]
    public DateTime? Date { get; set; }

    [Parameter]
    [Alias("UnixTime")]
    public double? UnixTimeSeconds { get; set; }

    [Parameter]
    [ValidateRange(1, 9999)]
    public int? Year { get; set; }

    [Parameter]
    [ValidateRange(1, 12)]
    public int? Month { get; set; }

    [Parameter]
    [ValidateRange(1, 31)]
    public int? Day { get; set; }

    [Parameter]
    [ValidateRange(0, 23)]
    public int? Hour { get; set; }

    [Parameter]
    [ValidateRange(0, 59)]
    public int? Minute { get; set; }

    [Parameter]
    [ValidateRange(0, 59)]
    public int? Second { get; set; }

    [Parameter]
    [ValidateRange(0, 999)]
    public int? Millisecond { get; set; }

    [Parameter]
    public DisplayHintType DisplayHint { get; set; } = DisplayHintType.DateTime;

    [Parameter]
    public string? UFormat { get; set; }

    [Parameter]
    public string? Format { get; set; }

    [Parameter]
    public SwitchParameter AsUTC { get; set; }

    protected override void ProcessRecord()
    {
        var moment = Date ?? (UnixTimeSeconds is { } seconds ? DateTime.UnixEpoch.AddSeconds(seconds).ToLocalTime() : DateTime.Now);
        moment = moment.AddYears((Year ?? moment.Year) - moment.Year);
        moment = moment.AddMonths((Month ?? moment.Month) - moment.Month);
        moment = moment.AddDays((Day ?? moment.Day) - moment.Day);
        moment = moment.AddHours((Hour ?? moment.Hour) - moment.Hour);
        moment = moment.AddMinutes((Minute ?? moment.Minute) - moment.Minute);
        moment = moment.AddSeconds((Second ?? moment.Second) - moment.Second);
        if (Millisecond is { } millisecond)
        {
            moment = new DateTime(moment.Ticks - (moment.Ticks % TimeSpan.TicksPerSecond), moment.Kind).AddMilliseconds(millisecond);
        }
        if (AsUTC)
        {
            moment = moment.ToUniversalTime();
        }
        WriteObject(UFormat is not null ? UnixText(moment, UFormat) : Format is not null ? Text(moment, Format) : Shown(moment));
    }

    private PSObject Shown(DateTime moment)
    {
        var shown = new PSObject(moment);
        shown.Properties.Add(new PSNoteProperty("DisplayHint", DisplayHint));
        return shown;
    }

    private static string Text(DateTime moment, string format) => format switch
    {
        "FileDate" => moment.ToString("yyyyMMdd", CultureInfo.InvariantCulture),
        "FileDateUniversal" => moment.ToUniversalTime().ToString("yyyyMMddZ", CultureInfo.InvariantCulture),
        "FileDateTime" => moment.ToString("yyyyMMddTHHmmssffff", CultureInfo.InvariantCulture),
        "FileDateTimeUniversal" => moment.ToUniversalTime().ToString("yyyyMMddTHHmmssffffZ", CultureInfo.InvariantCulture),
        _ => moment.ToString(format, CultureInfo.CurrentCulture),
    };

    private static string UnixText(DateTime moment, string format)
    {
        var text = new StringBuilder();
        var pattern = format.StartsWith('+') ? format[1..] : format;
        for (var i = 0; i < pattern.Length; i++)
        {
            text.Append(pattern[i] == '%' && i + 1 < pattern.Length ? UnixPart(moment, pattern[++i]) : pattern[i].ToString());
        }
        return text.ToString();
    }

    private static string UnixPart(DateTime moment, char specifier)
    {
        var net = specifier switch
        {
            'Y' => "yyyy",
            'y' => "yy",
            'm' => "MM",
            'd' => "dd",
            'H' => "HH",
            'M' => "mm",
            'S' => "ss",
            'F' => "yyyy-MM-dd",
            'T' => "HH:mm:ss",
            'D' => "MM/dd/yy",
            'a' => "ddd",
            'A' => "dddd",
            'b' => "MMM",
            'B' => "MMMM",
            'Z' => "zz",
            _ => null,
        };
        return specifier switch
        {
            'j' => moment.DayOfYear.ToString("000", CultureInfo.InvariantCulture),
            'e' => moment.Day.ToString(CultureInfo.InvariantCulture).PadLeft(2),
            's' => ((long)(moment.ToUniversalTime() - DateTime.UnixEpoch).TotalSeconds).ToString(CultureInfo.InvariantCulture),
            _ => net is null ? specifier.ToString() : moment.ToString(net, CultureInfo.InvariantCulture),
        };
    }
}

[Cmdlet(VerbsCommon.New, "TimeSpan", DefaultParameterSetName = "Date")]
[OutputType(typeof(TimeSpan))]
public sealed class NewTimeSpanCommand : PSCmdlet
{
    [Parameter(Position = 0, ParameterSetName = "Date", ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [Alias("LastWriteTime")]
    public DateTime? Start { get; set; }

    [Parameter(Position = 1, ParameterSetName = "Date", ValueFromPipelineByPropertyName = true)]
    public DateTime? End { get; set; }

    [Parameter(ParameterSetName = "Time")]
    public int Days { get; set; }

    [Parameter(ParameterSetName = "Time")]
    public int Hours { get; set; }

    [Parameter(ParameterSetName = "Time")]
    public int Minutes { get; set; }

    [Parameter(ParameterSetName = "Time")]
    public int Seconds { get; set; }

    [Parameter(ParameterSetName = "Time")]
    public int Milliseconds { get; set; }

    protected override void ProcessRecord()
    {
        var now = DateTime.Now;
        WriteObject(ParameterSetName == "Time" ? new TimeSpan(Days, Hours, Minutes, Seconds, Milliseconds) : (End ?? now) - (Start ?? now));
    }
}

[Cmdlet(VerbsLifecycle.Start, "Sleep", DefaultParameterSetName = "Seconds")]
public sealed class StartSleepCommand : PSCmdlet, IDisposable
{
    private readonly ManualResetEventSlim stopped = new();

    [Parameter(Position = 0, Mandatory = true, ParameterSetName = "Seconds", ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [ValidateRange(0.0, int.MaxValue / 1000.0)]
    public double Seconds { get; set; }

    [Parameter(Mandatory = true, ParameterSetName = "Milliseconds", ValueFromPipelineByPropertyName = true)]
    [ValidateRange(0, int.MaxValue)]
    [Alias("ms")]
    public int Milliseconds { get; set; }

    [Parameter(Mandatory = true, ParameterSetName = "FromTimeSpan")]
    [Alias("ts")]
    public TimeSpan Duration { get; set; }

    public void Dispose() => stopped.Dispose();

    protected override void ProcessRecord() => stopped.Wait(ParameterSetName switch
    {
        "Milliseconds" => TimeSpan.FromMilliseconds(Milliseconds),
        "FromTimeSpan" => Duration,
        _ => TimeSpan.FromSeconds(Seconds),
    });

    protected override void StopProcessing() => stopped.Set();
}
