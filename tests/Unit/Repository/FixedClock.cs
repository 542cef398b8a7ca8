namespace Cluster.Unit.Repository;

internal sealed class FixedClock(DateTimeOffset now) : TimeProvider
{
    /// <summary>So late that no file looks fresh.</summary>
    public static FixedClock Late { get; } = new(new DateTimeOffset(2200, 1, 1, 0, 0, 0, TimeSpan.Zero));

    public override DateTimeOffset GetUtcNow() => now;
}
