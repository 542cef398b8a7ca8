using System.Globalization;

namespace Cluster.Gateway.Grpc;

/// <summary>The <c>grpc-timeout</c> header: one to eight digits and a unit.</summary>
internal static class GrpcTimeout
{
    public const string Header = "grpc-timeout";

    /// <summary>Longer time-outs are cut to this; it keeps a deadline within a timestamp's range.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromDays(3650);

    private const int MaxDigits = 8;

    public static bool TryParse(ReadOnlySpan<char> text, out TimeSpan timeout)
    {
        timeout = default;
        if (text.Length is < 2 or > MaxDigits + 1
            || TicksOf(text[^1]) is not { } ticksPerUnit
            || !uint.TryParse(text[..^1], NumberStyles.None, CultureInfo.InvariantCulture, out var count))
        {
            return false;
        }

        // Nanoseconds are rounded up: a deadline must not pass before the client meant it to.
        var ticks = Math.Ceiling(count * ticksPerUnit);
        timeout = ticks >= Longest.Ticks ? Longest : TimeSpan.FromTicks((long)ticks);
        return true;
    }

    private static double? TicksOf(char unit) => unit switch
    {
        'H' => TimeSpan.TicksPerHour,
        'M' => TimeSpan.TicksPerMinute,
        'S' => TimeSpan.TicksPerSecond,
        'm' => TimeSpan.TicksPerMillisecond,
        'u' => TimeSpan.TicksPerMicrosecond,
        'n' => 1.0 / TimeSpan.NanosecondsPerTick,
        _ => null,
    };
}
