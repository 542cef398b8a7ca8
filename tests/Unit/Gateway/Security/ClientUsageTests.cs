using Cluster.Contracts.Errors;
using Cluster.Gateway.Security.Policy;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Cluster.Unit.Gateway.Security;

public sealed class ClientUsageTests
{
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public void Rate_BurstThenAsManyAsTheTimeBrings()
    {
        var usage = new ClientUsage("a", _time);
        var quota = new ClientQuota(10, 3, 0, 0);

        Assert.Equal(3, Admitted(usage, quota, 5));
        Assert.False(usage.TryEnter(quota, out var refusal));
        Assert.Equal((StatusCode.ResourceExhausted, TimeSpan.FromMilliseconds(100)), (refusal!.Code, refusal.RetryAfter));

        _time.Advance(TimeSpan.FromMilliseconds(99));
        Assert.Equal(0, Admitted(usage, quota, 1));
        _time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Equal(1, Admitted(usage, quota, 5));
        _time.Advance(TimeSpan.FromHours(1));
        Assert.Equal(3, Admitted(usage, quota, 5));
    }

    [Fact]
    public void InFlight_AtTheQuota_TheNextWaitsForOneToLeave()
    {
        var usage = new ClientUsage("a", _time);
        var quota = new ClientQuota(0, 1, 2, 0);

        Assert.Equal(2, Admitted(usage, quota, 3));
        usage.Leave();
        Assert.Equal(1, Admitted(usage, quota, 3));
        Assert.Equal(2, usage.InFlight);
    }

    [Fact]
    public void Bytes_AtTheQuota_AreRefusedWithAHintAndBeyondItAloneWithoutOne()
    {
        var usage = new ClientUsage("a", _time);
        var quota = new ClientQuota(0, 1, 0, 1);

        Assert.True(usage.TryHold(quota, 1 << 20, out _));
        Assert.False(usage.TryHold(quota, 1, out var full));
        Assert.NotNull(full!.RetryAfter);
        Assert.False(usage.TryHold(quota, (1 << 20) + 1, out var beyond));
        Assert.Null(beyond!.RetryAfter);
        usage.Release(1 << 20);
        Assert.True(usage.TryHold(quota, 1 << 20, out _));
    }

    [Fact]
    public void NoQuota_AdmitsEverything() => Assert.Equal(1000, Admitted(new ClientUsage("a", _time), ClientQuota.None, 1000));

    [Fact]
    public async Task ManyThreads_NeverHaveMoreInFlightThanTheQuota()
    {
        var usage = new ClientUsage("a", _time);
        var quota = new ClientQuota(0, 1, 3, 0);
        var (now, most) = (0, 0);
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() =>
        {
            for (var i = 0; i < 20_000; i++)
            {
                if (usage.TryEnter(quota, out var _))
                {
                    InterlockedMax(ref most, Interlocked.Increment(ref now));
                    Interlocked.Decrement(ref now);
                    usage.Leave();
                }
            }
        })));

        Assert.InRange(most, 1, 3);
        Assert.Equal(0, usage.InFlight);
    }

    private static int Admitted(ClientUsage usage, ClientQuota quota, int tries) => Enumerable.Range(0, tries).Count(_ => usage.TryEnter(quota, out var _));

    private static void InterlockedMax(ref int target, int value)
    {
        int seen;
        while ((seen = Volatile.Read(ref target)) < value && Interlocked.CompareExchange(ref target, value, seen) != seen)
        {
        }
    }
}
