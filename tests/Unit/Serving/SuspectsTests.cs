using Cluster.Gateway.Serving;
using Cluster.Tests.Common;
using Xunit;

namespace Cluster.Unit.Serving;

public sealed class SuspectsTests : IDisposable
{
    private static readonly SiloAddress Silo = States.At(1);

    private readonly Routing _routing = new();

    private Suspects Suspects => _routing.Suspects;

    public void Dispose() => _routing.Dispose();

    [Fact]
    public async Task Enter_OneAfterTheOther_EachIsAlone()
    {
        var first = await EnterAsync();
        var second = EnterAsync();
        var third = EnterAsync();
        Assert.False(second.IsCompleted);

        Suspects.Leave(Silo, first);
        var one = await second.Soon();
        Assert.False(third.IsCompleted);
        Suspects.Leave(Silo, one);
        var two = await third.Soon();
        Suspects.Leave(Silo, two);

        Assert.Equal([true, true, true], new[] { first, one, two }.Select(static place => place.IsAlone));
    }

    [Fact]
    public async Task Enter_OneThatRunsLong_LetsTheNextOneInAndNeitherIsAlone()
    {
        var slow = await EnterAsync();
        var next = EnterAsync();
        _routing.Time.Advance(TimeSpan.FromMilliseconds(99));
        Assert.False(next.IsCompleted);

        _routing.Time.Advance(TimeSpan.FromMilliseconds(1));

        Assert.False((await next.Soon()).IsAlone);
        Assert.False(slow.IsAlone);
    }

    [Fact]
    public async Task Enter_AnotherSilo_DoesNotWait()
    {
        await EnterAsync();

        Assert.True((await Suspects.EnterAsync(States.At(2), CancellationToken.None)).IsAlone);
    }

    [Fact]
    public async Task Enter_CallerGivesUp_HoldsUpNoOther()
    {
        var first = await EnterAsync();
        using var giveUp = new CancellationTokenSource();
        var impatient = Suspects.EnterAsync(Silo, giveUp.Token).AsTask();
        var patient = EnterAsync();
        await giveUp.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => impatient.Soon());
        Assert.False(patient.IsCompleted);

        Suspects.Leave(Silo, first);

        await patient.Soon();
    }

    private Task<SuspectPlace> EnterAsync() => Suspects.EnterAsync(Silo, CancellationToken.None).AsTask();
}
