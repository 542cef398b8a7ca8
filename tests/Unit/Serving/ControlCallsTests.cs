using Cluster.Contracts.Errors;
using Cluster.Tests.Common;
using Xunit;

namespace Cluster.Unit.Serving;

public sealed class ControlCallsTests : IDisposable
{
    private readonly Routing _routing = new(new FakeHealth());

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

    /// <summary>Something changes while the call runs, so that the wait after it ends at once.</summary>
    private ValueTask<int> FailAfterAChange(bool isLost)
    {
        _routing.States.Publish(States.Model("m", States.Ready(1)));
        return ValueTask.FromException<int>(isLost ? new SiloUnavailableException("the silo was lost") : new InconsistentStateException("another has written it"));
    }
}
