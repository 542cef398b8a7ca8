using Microsoft.Extensions.Time.Testing;

namespace Cluster.Tests.Common;

/// <summary>A clock that moves when the test says so. Its timestamps are not in the ticks of TimeSpan: code that mixes up the two units shows.</summary>
public sealed class ManualTimeProvider() : FakeTimeProvider(new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero))
{
    public override long TimestampFrequency => 1_000_000;

    public override long GetTimestamp() => GetUtcNow().UtcTicks / (TimeSpan.TicksPerSecond / TimestampFrequency);
}
