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
    public async Task Enter_OneAfterTheOther_TheOneThatLosesTheSiloIsKnown()
    {
        var first = await EnterAsync();
        var second = EnterAsync();
        var third = EnterAsync();
        Assert.False(second.IsCompleted);

        Suspects.Leave(Silo, first);
        var one = await second.Soon();
        Assert.False(third.IsCompleted);

        Assert.True(one.Lose());
    }

    [Fact]
    public async Task Lose_OneThatRunsLongAndOthersThatHaveEnded_ItIsKnown()
    {
        var slow = await EnterAsync();
        var next = EnterAsync();
        _routing.Time.Advance(TimeSpan.FromMilliseconds(99));
        Assert.False(next.IsCompleted);
        _routing.Time.Advance(TimeSpan.FromMilliseconds(1));
        Suspects.Leave(Silo, await next.Soon());

        Assert.True(slow.Lose());
    }

    [Fact]
    public async Task Lose_TwoAtOnce_NeitherIsKnown()
    {
        var slow = await EnterAsync();
        var next = EnterAsync();
        _routing.Time.Advance(TimeSpan.FromMilliseconds(100));
        var other = await next.Soon();

        Assert.False(slow.Lose());
        Suspects.Leave(Silo, slow);
        Assert.False(other.Lose());
    }

    [Fact]
    public async Task Enter_SiloThatDoesNotAnswer_HoldsUpNoOther()
    {
        Assert.Null(await Suspects.EnterAsync(Silo, static () => new(false), CancellationToken.None));

        Assert.True((await EnterAsync().Soon()).Lose());
    }

    [Fact]
    public async Task Enter_AnotherSilo_DoesNotWait()
    {
        await EnterAsync();

        Assert.True((await Suspects.EnterAsync(States.At(2), Answers, CancellationToken.None))!.Lose());
    }

    [Fact]
    public async Task Enter_CallerGivesUp_HoldsUpNoOther()
    {
        var first = await EnterAsync();
        using var giveUp = new CancellationTokenSource();
        var impatient = Suspects.EnterAsync(Silo, Answers, giveUp.Token).AsTask();
        var patient = EnterAsync();
        await giveUp.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => impatient.Soon());
        Assert.False(patient.IsCompleted);

        Suspects.Leave(Silo, first);

        await patient.Soon();
    }

    private async Task<SuspectPlace> EnterAsync() => (await Suspects.EnterAsync(Silo, Answers, CancellationToken.None))!;

    private static ValueTask<bool> Answers() => new(true);
}
