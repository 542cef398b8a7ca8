using Cluster.Grains.Objects;
using Cluster.Tests.Common;
using Cluster.Unit.Metrics;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Cluster.Unit.Objects;

/// <summary>Waits between tries, by a clock that the test moves.</summary>
public sealed class ObjectReaderTests : IDisposable
{
    private static readonly ObjectAddress Address = new("models", "a");

    private readonly MetricsHost _metrics = new();
    private readonly ObjectStorageOptions _options = new() { MaxTries = 5, RetryDelay = TimeSpan.FromSeconds(1), MaxRetryDelay = TimeSpan.FromSeconds(3) };

    public void Dispose() => _metrics.Dispose();

    [Fact]
    public async Task Waits_DoubleUpToTheLongestAndHalfOfThemIsChance()
    {
        var time = new PassingTime(wait => wait < _options.StallTimeout);

        var last = await Assert.ThrowsAsync<ObjectStoreException>(() => Reader(time).RetryAsync<int>(Address, static _ => throw new ObjectStoreException(StoreFailure.Busy, "busy"), CancellationToken.None)).Soon();

        Assert.Equal("busy", last.Message);
        Assert.Equal(4, time.Waits.Count);
        Assert.All(time.Waits.Zip([1.0, 2, 3, 3]), static wait => Assert.InRange(wait.First.TotalSeconds, wait.Second / 2, wait.Second));
        Assert.NotEqual(time.Waits[2], time.Waits[3]);
    }

    [Fact]
    public async Task Answer_ThatDoesNotCome_IsAskedForAgain()
    {
        var tries = 0;

        var answer = await Reader(new PassingTime(static _ => true)).RetryAsync(
            Address,
            async stop =>
            {
                if (++tries == 1)
                {
                    await Task.Delay(Timeout.Infinite, stop);
                }

                return tries;
            },
            CancellationToken.None).Soon();

        Assert.Equal(2, answer);
    }

    [Theory]
    [InlineData(StoreFailure.Denied)]
    [InlineData(StoreFailure.Missing)]
    [InlineData(StoreFailure.Changed)]
    internal async Task Failure_ThatStays_IsNotTriedAgain(StoreFailure failure)
    {
        var tries = 0;

        await Assert.ThrowsAsync<ObjectStoreException>(() => Reader(new ManualTimeProvider()).RetryAsync<int>(Address, _ => { tries++; throw new ObjectStoreException(failure, "no"); }, CancellationToken.None));

        Assert.Equal(1, tries);
    }

    private ObjectReader Reader(TimeProvider time) =>
        new(new NoObjectStore(), _options, new RetryRandom(new Random(3)), new ObjectMetrics(_metrics.Registry), time, NullLogger<ObjectReader>.Instance);

    /// <summary>A clock on which the times that are chosen have passed at once, and others never do.</summary>
    private sealed class PassingTime(Func<TimeSpan, bool> passes) : TimeProvider
    {
        public List<TimeSpan> Waits { get; } = [];

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            if (!passes(dueTime))
            {
                return System.CreateTimer(callback, state, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            }

            Waits.Add(dueTime);
            return System.CreateTimer(callback, state, TimeSpan.Zero, Timeout.InfiniteTimeSpan);
        }
    }
}
