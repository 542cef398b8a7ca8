using System.Diagnostics.CodeAnalysis;
using Cluster.Contracts.Buffers;
using Cluster.Contracts.Inference;
using Cluster.Tests.Common;
using Cluster.Unit.Runtime.Grains;
using Xunit;

namespace Cluster.Unit.Runtime.Messaging;

/// <summary>Calls that somebody gives up, and connections that break.</summary>
[SuppressMessage("Design", "CA1001", Justification = "xunit calls DisposeAsync.")]
public sealed class FailureTests : IAsyncLifetime
{
    private readonly TestCluster _cluster = new();
    private readonly FakeSilo _fake = new();

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        _fake.Dispose();
        await _cluster.DisposeAsync();
    }

    private static InferRequest Request(byte signal, int length = 10)
    {
        var message = PayloadBuffer.Rent(length);
        message.Span.Clear();
        message.Span[0] = signal;
        return new InferRequest { Message = message };
    }

    private async Task<IWireGrain> GrainOnFakeAsync(TestNode client, string key = "g")
    {
        _cluster.Membership.Set(_fake.Address, SiloStatus.Active);
        var grain = client.Get<IWireGrain>(key);
        await _cluster.RegisterAsync(_fake.Address, grain.GetGrainId());
        return grain;
    }

    [Fact]
    public async Task Call_BehindOneThatTakesLong_IsAnsweredFirst()
    {
        var silo = await _cluster.AddSiloAsync();
        var client = await _cluster.AddClientAsync();
        var grain = client.Get<IWireGrain>("g");
        var slow = grain.Infer(Request(1), default).AsTask();
        await silo.Probe.Reached("start 1").Soon();

        Assert.True((await grain.Infer(Request(0, 100_000), default).AsTask().Soon()).Succeeded);
        Assert.False(slow.IsCompleted);

        silo.Probe.Set("release 1");
        Assert.True((await slow.Soon()).Succeeded);
    }

    [Fact]
    public async Task Call_ThatTheCallerCancels_IsCancelledThere()
    {
        var silo = await _cluster.AddSiloAsync();
        var client = await _cluster.AddClientAsync();
        using var source = new CancellationTokenSource();
        var call = client.Get<IWorkGrain>("g").RunWithToken("n", source.Token);
        await silo.Probe.Reached("start n").Soon();

        await source.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call.Soon());
        await silo.Probe.Reached("cancelled n").Soon();
    }

    [Fact]
    public async Task Call_WithDeadline_EndsThereByTheCallersTimeOut()
    {
        var time = new ManualTimeProvider();
        var silo = await _cluster.AddSiloAsync(time: time);
        var client = await _cluster.AddClientAsync(configure: static options => options.ResponseTimeout = TimeSpan.FromSeconds(3));
        var call = client.Get<IWorkGrain>("g").RunWithToken("n", default);
        await silo.Probe.Reached("start n").Soon();

        // The silo's own time-out is 30 s; its clock is not the caller's.
        for (var second = 0; second < 4; second++)
        {
            time.Advance(TimeSpan.FromSeconds(1));
        }

        await silo.Probe.Reached("cancelled n").Soon();
        await Assert.ThrowsAsync<TimeoutException>(() => call.Soon());
    }

    [Fact]
    public async Task Connection_ThatBreaks_FailsPendingCallsAtOnce()
    {
        var client = await _cluster.AddClientAsync(time: new ManualTimeProvider());
        var grain = await GrainOnFakeAsync(client);
        var call = grain.Silo();
        var stream = await _fake.AcceptAsync();
        await stream.ReadExactlyAsync(new byte[FrameHeader.Size]).AsTask().Soon();

        await stream.DisposeAsync();

        // The clock stands still: nothing but the connection's end can have failed it.
        var error = await Assert.ThrowsAsync<SiloUnavailableException>(() => call.Soon());
        Assert.True(error.MayHaveRun);
        Assert.Null(client.Locations.TryGetKnown(grain.GetGrainId()));
    }

    [Fact]
    public async Task Silo_ThatCannotBeReached_IsNotTriedAgainBeforeTheBackOffIsOver()
    {
        var time = new ManualTimeProvider();
        var client = await _cluster.AddClientAsync(time: time);
        var grain = await GrainOnFakeAsync(client);
        Assert.True(client.Locations.IsReachable(_fake.Address));
        _fake.Dispose();

        var first = await Assert.ThrowsAsync<SiloUnavailableException>(() => grain.Silo().Soon());
        Assert.False(first.MayHaveRun);
        Assert.False(client.Locations.IsReachable(_fake.Address));
        await Assert.ThrowsAsync<SiloUnavailableException>(() => grain.Silo().Soon());
        Assert.Single(client.Log.Entries, static entry => entry.Id == 1104);

        time.Advance(TimeSpan.FromSeconds(1));
        Assert.True(client.Locations.IsReachable(_fake.Address));
    }

    [Fact]
    public async Task Silo_ThatIsDeclaredDead_FailsItsPendingCallsAtOnce()
    {
        var client = await _cluster.AddClientAsync(time: new ManualTimeProvider());
        var grain = await GrainOnFakeAsync(client);
        var call = grain.Silo();
        using var stream = await _fake.AcceptAsync();
        await stream.ReadExactlyAsync(new byte[FrameHeader.Size]).AsTask().Soon();

        _cluster.Membership.Set(_fake.Address, SiloStatus.Dead);

        await Assert.ThrowsAsync<SiloUnavailableException>(() => call.Soon());
        Assert.False(client.Locations.IsReachable(_fake.Address));
    }

    [Fact]
    public async Task Silo_ThatIsSilent_IsGivenUp()
    {
        var time = new ManualTimeProvider();
        var client = await _cluster.AddClientAsync(time: time);
        var call = (await GrainOnFakeAsync(client)).Silo();
        using var stream = await _fake.AcceptAsync();
        await stream.ReadExactlyAsync(new byte[FrameHeader.Size]).AsTask().Soon();

        for (var second = 0; second < 6; second++)
        {
            time.Advance(TimeSpan.FromSeconds(1));
        }

        await Assert.ThrowsAsync<SiloUnavailableException>(() => call.Soon());
    }

    [Fact]
    public async Task Call_ToSiloThatDoesNotHaveTheGrain_IsSentOnAndTheCacheCorrected()
    {
        var one = await _cluster.AddSiloAsync();
        var two = await _cluster.AddSiloAsync();
        var client = await _cluster.AddClientAsync();
        var grain = client.Get<IWireGrain>("g");
        await _cluster.ActivateAsync<IWireGrain>(two, "g");
        client.Runtime.Locator.Learn(GrainAddress.NewActivationAddress(one.Address, grain.GetGrainId()));

        Assert.Equal(two.Address.ToParsableString(), await grain.Silo().Soon());

        Assert.Equal(two.Address, client.Locations.TryGetKnown(grain.GetGrainId()));
    }

    [Fact]
    public async Task Call_OfKnownGrain_NeedsNoDirectory()
    {
        await _cluster.AddSiloAsync();
        var client = await _cluster.AddClientAsync();
        var grain = client.Get<IWireGrain>("g");
        await grain.Silo().Soon();
        var lookups = _cluster.Directory.Lookups;
        _cluster.Directory.IsAway = true;

        await grain.Silo().Soon();

        Assert.Equal(lookups, _cluster.Directory.Lookups);
        await Assert.ThrowsAsync<SiloUnavailableException>(() => client.Get<IWireGrain>("other").Silo().Soon());
    }

    [Fact]
    public async Task Calls_ToSiloThatDoesNotRead_WaitUnwrittenBeyondTheBound()
    {
        const int Bound = 1 << 20;
        const int Length = 600 << 10;
        var client = await _cluster.AddClientAsync(static options => options.MaxQueuedBytes = Bound);
        var grain = await GrainOnFakeAsync(client);
        var calls = Enumerable.Range(0, 30).Select(_ => grain.Infer(Request(0, Length), default).AsTask()).ToArray();
        var stream = await _fake.AcceptAsync();

        Assert.InRange(client.Connections.QueuedBytes, 0, Bound + Length + 4096);

        await stream.DisposeAsync();
        foreach (var call in calls)
        {
            await Assert.ThrowsAsync<SiloUnavailableException>(() => call.Soon());
        }
    }

    [Fact]
    public async Task Calls_BeyondTheBound_AreAllAnswered()
    {
        await _cluster.AddSiloAsync(messaging: static options => options.MaxQueuedBytes = 16 << 20);
        var client = await _cluster.AddClientAsync(static options => options.MaxQueuedBytes = 64 << 10);
        var grain = client.Get<IWireGrain>("g");

        var answers = await Task.WhenAll(Enumerable.Range(0, 60).Select(i => grain.Infer(Request(0, 50_000 + i), default).AsTask())).Soon();

        Assert.Equal(Enumerable.Range(50_000, 60), answers.Select(static answer => answer.Message!.Length));
    }

    [Fact]
    public async Task Silo_ThatStops_AnswersWhatItHasAndSaysGoodbye()
    {
        var silo = await _cluster.AddSiloAsync();
        var client = await _cluster.AddClientAsync();
        var running = client.Get<IWireGrain>("g").Infer(Request(1), default).AsTask();
        await silo.Probe.Reached("start 1").Soon();

        var stopping = silo.StopAsync();
        silo.Probe.Set("release 1");

        Assert.True((await running.Soon()).Succeeded);
        await stopping.Soon();
        Assert.DoesNotContain(client.Log.Entries, static entry => entry.Id == 1103);
    }

    [Fact]
    public async Task Call_BeyondWhatTheSiloHolds_IsRefusedAndHasNotRun()
    {
        const int Length = 600 << 10;
        var silo = await _cluster.AddSiloAsync(messaging: static options => options.MaxHeldBytes = options.MaxMessageBytes = 1 << 20);
        var client = await _cluster.AddClientAsync();
        var grain = client.Get<IWireGrain>("g");
        var first = grain.Infer(Request(1, Length), default).AsTask();
        await silo.Probe.Reached("start 1").Soon();

        var error = await Assert.ThrowsAsync<SiloUnavailableException>(() => grain.Infer(Request(2, Length), default).AsTask().Soon());

        Assert.False(error.MayHaveRun);
        silo.Probe.Set("release 1");
        Assert.True((await first.Soon()).Succeeded);
        Assert.True((await grain.Infer(Request(0, Length), default).AsTask().Soon()).Succeeded);
    }

    [Fact]
    public async Task Call_WithMessageBeyondTheLimit_FailsHere()
    {
        await _cluster.AddSiloAsync();
        var client = await _cluster.AddClientAsync(static options => options.MaxMessageBytes = 100_000);

        await Assert.ThrowsAsync<WireFormatException>(() => client.Get<IWireGrain>("g").Infer(Request(0, 100_001), default).AsTask().Soon());

        Assert.True((await client.Get<IWireGrain>("g").Infer(Request(0, 100_000), default).AsTask().Soon()).Succeeded);
    }

    [Fact]
    public async Task Call_OfGrainWhoseSiloWillNotHaveIt_IsLookedUpAnew()
    {
        var leaving = await _cluster.AddSiloAsync();
        var client = await _cluster.AddClientAsync();
        var grain = client.Get<IWireGrain>("g");
        await grain.Silo().Soon();
        var other = await _cluster.AddSiloAsync(joins: false);
        await leaving.Runtime.Catalog.StopAsync(default).Soon();
        await Assert.ThrowsAsync<SiloUnavailableException>(() => grain.Silo().Soon());

        _cluster.Membership.Set(leaving.Address, SiloStatus.ShuttingDown);
        _cluster.Membership.Set(other.Address, SiloStatus.Active);

        Assert.Equal(other.Address.ToParsableString(), await grain.Silo().Soon());
    }
}
