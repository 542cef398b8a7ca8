using System.Diagnostics.CodeAnalysis;
using Cluster.Tests.Common;
using Cluster.Unit.Runtime.Grains;
using Xunit;

namespace Cluster.Unit.Runtime.Messaging;

/// <summary>Who may connect to whom, and what probes make of it.</summary>
[SuppressMessage("Design", "CA1001", Justification = "xunit calls DisposeAsync.")]
public sealed class HandshakeTests : IAsyncLifetime
{
    private static readonly TimeSpan ProbeTimeout = TimeSpan.FromSeconds(10);
    private static readonly SiloAddress Stranger = SiloAddress.FromParsableString("127.0.0.1:1@1");

    private readonly TestCluster _cluster = new();

    private TestNode Silo { get; set; } = null!;

    public async ValueTask InitializeAsync() => Silo = await _cluster.AddSiloAsync();

    public async ValueTask DisposeAsync() => await _cluster.DisposeAsync();

    private Hello ValidHello() => new(WireLimits.MinVersion, WireLimits.MaxVersion, PeerRole.Client, "test", Stranger, Silo.Address);

    private async Task<Welcome> GreetAsync(Hello hello)
    {
        var (stream, welcome) = await FakeSilo.ConnectAsync(Silo.Address.Endpoint, hello);
        await stream.DisposeAsync();
        return welcome;
    }

    [Fact]
    public async Task Hello_ThatFits_IsAccepted() => Assert.Equal(HandshakeResult.Accepted, (await GreetAsync(ValidHello())).Result);

    [Fact]
    public async Task Hello_OfNewerProcessThatSpeaksThisVersionToo_IsAcceptedWithTheCommonVersion()
    {
        var welcome = await GreetAsync(ValidHello() with { MaxVersion = WireLimits.MaxVersion + 5 });

        Assert.Equal((HandshakeResult.Accepted, WireLimits.MaxVersion), (welcome.Result, welcome.Version));
    }

    [Fact]
    public async Task Hello_WithoutCommonVersion_IsRefused()
    {
        var newer = WireLimits.MaxVersion + 1;

        Assert.Equal(HandshakeResult.NoCommonVersion, (await GreetAsync(ValidHello() with { MinVersion = newer, MaxVersion = newer })).Result);
        Assert.Equal(HandshakeResult.NoCommonVersion, (await GreetAsync(ValidHello() with { MinVersion = 0, MaxVersion = 0 })).Result);
    }

    [Fact]
    public async Task Hello_OfAnotherCluster_IsRefused() =>
        Assert.Equal(HandshakeResult.OtherCluster, (await GreetAsync(ValidHello() with { ClusterId = "other" })).Result);

    [Fact]
    public async Task Hello_ToAnotherGeneration_IsRefused()
    {
        var earlier = SiloAddress.New(Silo.Address.Endpoint, Silo.Address.Generation - 1);

        Assert.Equal(HandshakeResult.OtherSilo, (await GreetAsync(ValidHello() with { Target = earlier })).Result);
    }

    [Fact]
    public async Task Hello_OfSiloThatIsDead_IsRefused()
    {
        _cluster.Membership.Set(Stranger, SiloStatus.Dead);

        Assert.Equal(HandshakeResult.Dead, (await GreetAsync(ValidHello() with { Role = PeerRole.Silo })).Result);
    }

    [Fact]
    public async Task Call_ToGenerationThatIsOver_FailsAndReportsItsLoss()
    {
        var other = await _cluster.AddSiloAsync();
        var endpoint = TestCluster.FreeEndpoint();
        var earlier = SiloAddress.New(endpoint, 1);
        _cluster.Membership.Set(earlier, SiloStatus.Active);
        await _cluster.AddSiloAsync(SiloAddress.New(endpoint, 2), joins: false);
        var grain = other.Get<IWireGrain>("g");
        await _cluster.RegisterAsync(earlier, grain.GetGrainId());
        var lost = new TaskCompletionSource<SiloAddress>(TaskCreationOptions.RunContinuationsAsynchronously);
        other.Connections.ConnectionLost += silo => lost.TrySetResult(silo);

        await Assert.ThrowsAsync<SiloUnavailableException>(() => grain.Silo().Soon());

        Assert.Equal(earlier, await lost.Task.Soon());
        Assert.Equal(ProbeOutcome.Replaced, await other.Connections.ProbeAsync(earlier, ProbeTimeout, default).AsTask().Soon());
    }

    [Fact]
    public async Task Probe_TellsWhatItFound()
    {
        var other = await _cluster.AddSiloAsync();
        using var silent = new FakeSilo();
        var closed = SiloAddress.New(TestCluster.FreeEndpoint(), 1);

        Assert.Equal(ProbeOutcome.Alive, await other.Connections.ProbeAsync(Silo.Address, ProbeTimeout, default).AsTask().Soon());
        Assert.Equal(ProbeOutcome.Refused, await other.Connections.ProbeAsync(closed, ProbeTimeout, default).AsTask().Soon());
        Assert.Equal(ProbeOutcome.TimedOut, await other.Connections.ProbeAsync(silent.Address, TimeSpan.FromMilliseconds(50), default).AsTask().Soon());
    }

    [Fact]
    public async Task ProbeThrough_AsksTheIntermediary()
    {
        var two = await _cluster.AddSiloAsync();
        var three = await _cluster.AddSiloAsync();
        var closed = SiloAddress.New(TestCluster.FreeEndpoint(), 1);
        _cluster.Membership.Set(closed, SiloStatus.Active);
        ISiloProber prober = three.Connections;

        Assert.Equal(ProbeOutcome.Alive, await prober.ProbeThroughAsync(two.Address, Silo.Address, ProbeTimeout, default).AsTask().Soon());
        Assert.Equal(ProbeOutcome.Refused, await prober.ProbeThroughAsync(two.Address, closed, ProbeTimeout, default).AsTask().Soon());
        Assert.Null(await prober.ProbeThroughAsync(closed, two.Address, ProbeTimeout, default).AsTask().Soon());
    }

    [Fact]
    public async Task ConnectionLost_WhenTheOtherEndBreaksIt_IsRaised()
    {
        using var fake = new FakeSilo();
        var lost = new TaskCompletionSource<SiloAddress>(TaskCreationOptions.RunContinuationsAsynchronously);
        Silo.Connections.ConnectionLost += silo => lost.TrySetResult(silo);
        var probe = Silo.Connections.ProbeAsync(fake.Address, ProbeTimeout, default).AsTask();
        var stream = await fake.AcceptAsync();
        await stream.ReadExactlyAsync(new byte[FrameHeader.Size]).AsTask().Soon();

        await stream.DisposeAsync();

        Assert.Equal(fake.Address, await lost.Task.Soon());
        Assert.Equal(ProbeOutcome.Refused, await probe.Soon());
    }
}
