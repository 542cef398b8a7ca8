using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using Cluster.Contracts.Errors;
using Cluster.Tests.Common;
using Cluster.Unit.Runtime.Grains;
using Xunit;

namespace Cluster.Unit.Runtime.Messaging;

[SuppressMessage("Design", "CA1001", Justification = "xunit calls DisposeAsync.")]
public sealed class CallTests : IAsyncLifetime
{
    private readonly TestCluster _cluster = new();

    private TestNode One { get; set; } = null!;

    private TestNode Two { get; set; } = null!;

    private TestNode Client { get; set; } = null!;

    public async ValueTask InitializeAsync()
    {
        One = await _cluster.AddSiloAsync();
        Two = await _cluster.AddSiloAsync();
        Client = await _cluster.AddClientAsync();
    }

    public async ValueTask DisposeAsync() => await _cluster.DisposeAsync();

    private static WireValues Values() => new()
    {
        Flag = true,
        Small = 200,
        Number = -5,
        Large = long.MinValue,
        Unsigned = ulong.MaxValue,
        Single = 1.5f,
        Double = double.NegativeInfinity,
        Text = "grüße \u4f60\u597d",
        Maybe = 0,
        Color = WireColor.Green,
        MaybeColor = WireColor.Blue,
        Span = TimeSpan.FromTicks(-3),
        Time = new DateTimeOffset(2031, 2, 3, 4, 5, 6, TimeSpan.FromHours(-5)),
        Guid = new Guid(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11),
        Bytes = [1, 0, 255],
        Texts = ["a", "", "c"],
        Nodes = ImmutableDictionary<string, WireNode>.Empty.Add("n", new WireNode("x", new WireNode("y"))),
        Pair = ("p", 9),
        Node = new WireNode("z"),
        Gaps = [1.0, null, double.NaN],
    };

    [Fact]
    public async Task Call_FromSiloToSilo_ArrivesThereAndItsAnswerHere()
    {
        await _cluster.ActivateAsync<IWireGrain>(Two, "g");

        Assert.Equal(Two.Address.ToParsableString(), await One.Get<IWireGrain>("g").Silo().Soon());
    }

    [Fact]
    public async Task Call_OfClientForGrainThatIsNowhere_IsPlacedByASilo()
    {
        var answers = new HashSet<string>();
        for (var i = 0; i < 20; i++)
        {
            answers.Add(await Client.Get<IWireGrain>($"g{i}").Silo().Soon());
        }

        // Default placement is random: a client that placed by itself could not know what the class asks for, so this shows redirects too.
        Assert.Equal(new HashSet<string> { One.Address.ToParsableString(), Two.Address.ToParsableString() }, answers);
    }

    [Fact]
    public async Task Call_OfClient_IsPlacedByTheDirectorOfTheClass()
    {
        await Assert.ThrowsAsync<SiloUnavailableException>(() => Client.Get<IPlacedGrain>("full").Ping().Soon());

        Assert.Contains("placing full among 2 by TestPlacement", One.Probe.Events.Concat(Two.Probe.Events));
    }

    [Fact]
    public async Task Call_WithEveryKindOfMember_ComesBackEqual()
    {
        await _cluster.ActivateAsync<IWireGrain>(Two, "g");
        var sent = Values();

        var answer = await One.Get<IWireGrain>("g").Echo(sent).Soon();

        Assert.NotSame(sent, answer);
        Assert.Equal(sent.Bytes, answer.Bytes);
        Assert.Equal(sent.Texts.AsEnumerable(), answer.Texts);
        Assert.Equal(sent.Gaps.AsEnumerable(), answer.Gaps);
        Assert.Equal(sent.Nodes, answer.Nodes);
        Assert.Equal(
            sent with { Bytes = answer.Bytes, Texts = answer.Texts, Gaps = answer.Gaps, Nodes = answer.Nodes }, answer);
    }

    [Fact]
    public async Task Call_WithEveryKindOfArgument_ArrivesInOrder()
    {
        var time = new DateTimeOffset(2031, 2, 3, 4, 5, 6, TimeSpan.FromHours(2));

        var answer = await Client.Get<IWireGrain>("g").Join(
            "t", null, WireColor.Blue, TimeSpan.FromSeconds(1), time, ("x", 5), ["a", "b"], ImmutableDictionary<string, int>.Empty.Add("k", 1)).Soon();

        Assert.Equal(["t", "none", "Blue", "00:00:01", "2031-02-03T04:05:06.0000000+02:00", "(x, 5)", "a+b", "k=1"], answer.AsEnumerable());
    }

    [Fact]
    public async Task Call_ThatTheGrainRefuses_FailsWithItsOwnFailure()
    {
        var error = await Assert.ThrowsAsync<ServingException>(() => Client.Get<IWireGrain>("g").Refuse("queue full").Soon());

        Assert.Equal(Failure.Exhausted("queue full", TimeSpan.FromSeconds(7)), error.Failure);
    }

    [Fact]
    public async Task Call_ThatThrowsSomethingElse_TellsTypeAndMessage()
    {
        var error = await Assert.ThrowsAsync<RemoteException>(() => Client.Get<IWireGrain>("g").Throw("no such thing").Soon());

        Assert.Equal(("System.ArgumentException", "no such thing"), (error.TypeName, error.Message));
    }

    [Fact]
    public async Task Call_BothWays_TakesOneConnection()
    {
        await _cluster.ActivateAsync<IWireGrain>(One, "one");
        await _cluster.ActivateAsync<IWireGrain>(Two, "two");

        await One.Get<IWireGrain>("two").Silo().Soon();
        await Task.WhenAll(One.Get<IWireGrain>("two").Silo(), Two.Get<IWireGrain>("one").Silo()).Soon();

        Assert.Equal([Two.Address], One.Connections.Connected);
        Assert.Equal([One.Address], Two.Connections.Connected);
    }

    [Fact]
    public async Task Call_WhoseMethodIsUnknownThere_SaysSo()
    {
        await _cluster.ActivateAsync<IOrphanGrain>(Two, "g");

        var error = await Assert.ThrowsAnyAsync<Exception>(() => One.Get<IOrphanGrain>("g").Ping().Soon());

        Assert.Contains("orphan", error.Message);
    }
}
