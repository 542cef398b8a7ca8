using Cluster.Contracts.Errors;
using Cluster.Contracts.Serving;
using Cluster.Tests.Common;
using Cluster.Unit.Clustering;
using Xunit;

namespace Cluster.Unit.Serving;

public sealed class ControlCallsTests : IDisposable
{
    private readonly FakeHealth _health = new();
    private readonly Routing _routing;

    public ControlCallsTests() => _routing = new Routing(_health);

    public void Dispose() => _routing.Dispose();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Run_ActivationThatIsReplacedOrLost_CallsAgain(bool isLost)
    {
        var calls = 0;

        var answer = await _routing.Control.RunAsync(() => ++calls == 1 ? FailAfterAChange(isLost) : ValueTask.FromResult(7), CancellationToken.None).AsTask().Soon();

        Assert.Equal((7, 2), (answer, calls));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Run_NoActivationCarriesItOut_IsUnavailableInTheEnd(bool isLost)
    {
        var failure = (await Assert.ThrowsAsync<ServingException>(() => _routing.Control.RunAsync(
            () =>
            {
                _routing.Time.Advance(TimeSpan.FromSeconds(10));
                return FailAfterAChange(isLost);
            },
            CancellationToken.None).AsTask().Soon())).Failure;

        Assert.Equal(StatusCode.Unavailable, failure.Code);
        Assert.NotNull(failure.RetryAfter);
    }

    /// <summary>Orleans does not end a call that was forwarded to the silo that is lost.</summary>
    [Fact]
    public async Task Run_SiloDiesAndTheCallGoesOn_CallsAgain()
    {
        _health.Silos = [Silos.A, Silos.B];
        var calls = 0;
        var asking = _routing.Control.RunAsync(() => ++calls == 1 ? new ValueTask<int>(new TaskCompletionSource<int>().Task) : ValueTask.FromResult(7), CancellationToken.None).AsTask();
        await LookAsync(asking);
        Assert.Equal(1, calls);

        _health.Gone.Add(Silos.B);
        await LookAsync(asking);

        Assert.Equal((7, 2), (await asking.Soon(), calls));
    }

    [Fact]
    public async Task Run_LoadThatTakesLongWhenASiloDies_MayStillTakeItsTimeAfterwards()
    {
        var calls = 0;
        var asking = _routing.Control.RunAsync(
            () =>
            {
                _routing.Time.Advance(TimeSpan.FromMinutes(calls == 0 ? 1 : 0));
                return ++calls < 3 ? FailAfterAChange(isLost: true) : ValueTask.FromResult(7);
            },
            CancellationToken.None).AsTask();

        Assert.Equal((7, 3), (await asking.Soon(), calls));
    }

    private async Task LookAsync(Task asking)
    {
        for (var looks = 0; looks < 6 && await Task.WhenAny(asking, Task.Delay(5)) != asking; looks++)
        {
            _routing.Time.Advance(LostCalls.Look);
        }
    }

    /// <summary>Something changes while the call runs, so that the wait after it ends at once.</summary>
    private ValueTask<int> FailAfterAChange(bool isLost)
    {
        _routing.States.Publish(States.Model("m", States.Ready(1)));
        return ValueTask.FromException<int>(isLost ? new SiloUnavailableException("the silo was lost") : new InconsistentStateException("another has written it"));
    }
}
