using Cluster.Tests.Common;
using Cluster.Unit.Runtime.Grains;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Cluster.Unit.Runtime;

public sealed class StressTests
{
    private const int Callers = 8;
    private const int CallsEach = 4000;
    private const int Keys = 7;

    [Fact]
    public async Task Calls_AgainstDeactivationAndCollection_KeepTheInvariants()
    {
        var watch = new StressWatch();
        await using var silo = await TestSilo.StartAsync(
            options =>
            {
                options.HeartbeatInterval = TimeSpan.FromMilliseconds(2);
                options.CollectionQuantum = TimeSpan.FromMilliseconds(2);
                options.CollectionAge = TimeSpan.FromMilliseconds(1);
            },
            services => services.AddSingleton(watch),
            TimeProvider.System);

        await Task.WhenAll(Enumerable.Range(0, Callers).Select(seed => Task.Run(() => CallAsync(silo, seed)))).Soon();

        Assert.Empty(watch.Failures.Distinct());
        Assert.Equal(0, silo.Runtime.Pending.Count);
        Assert.InRange(watch.Activations, 2 * Keys, int.MaxValue);
        await silo.StopAsync();
        Assert.Equal(0, watch.Living);
    }

    private static async Task CallAsync(TestSilo silo, int seed)
    {
        var random = new Random(seed);
        for (var i = 0; i < CallsEach; i++)
        {
            var key = random.Next(Keys);
            var grain = silo.Get<IStressGrain>($"{key}");
            switch (random.Next(12))
            {
                case 0:
                    Assert.Equal(i, await grain.AndDeactivate(i));
                    break;
                case 1:
                    await CancelSomeAsync(grain, i);
                    break;
                case <= 4:
                    Assert.Equal(i, await grain.Interleaved(i));
                    break;
                case <= 6:
                    Assert.Equal(i, await grain.Later(i, default));
                    break;
                case 7 when key > 0:
                    // Only downwards: two that call each other would wait for each other.
                    Assert.Equal(i, await grain.CallOther($"{random.Next(key)}", i));
                    break;
                default:
                    Assert.Equal(i, await grain.Synchronous(i));
                    break;
            }
        }
    }

    private static async Task CancelSomeAsync(IStressGrain grain, int value)
    {
        using var cancellation = new CancellationTokenSource();
        var call = grain.Later(value, cancellation.Token).AsTask();
        var cancel = Task.Run(cancellation.Cancel);
        try
        {
            Assert.Equal(value, await call);
        }
        catch (OperationCanceledException)
        {
            Assert.True(cancellation.IsCancellationRequested);
        }

        await cancel;
    }
}
