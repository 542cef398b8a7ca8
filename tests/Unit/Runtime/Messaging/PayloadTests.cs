using System.Diagnostics.CodeAnalysis;
using Cluster.Tests.Common;
using Cluster.Unit.Runtime.Grains;
using Xunit;

namespace Cluster.Unit.Runtime.Messaging;

/// <summary>Every payload that is received is given back, and once: whatever becomes of the call.</summary>
[SuppressMessage("Design", "CA1001", Justification = "xunit calls DisposeAsync.")]
public sealed class PayloadTests : IAsyncLifetime
{
    private const int Inline = WireLimits.MaxInlineSegment;
    private const int Chunked = WireLimits.MaxChunkLength;

    private readonly TestCluster _cluster = new();

    private TestNode Silo { get; set; } = null!;

    private TestNode Client { get; set; } = null!;

    private ICountedGrain Grain => Client.Get<ICountedGrain>("g");

    public async ValueTask InitializeAsync()
    {
        Silo = await _cluster.AddSiloAsync();
        Client = await _cluster.AddClientAsync();
    }

    public async ValueTask DisposeAsync() => await _cluster.DisposeAsync();

    private static async Task AssertGoneAsync(int length)
    {
        // The silo gives arguments back when its method has ended, which may be after the answer is here.
        using var limit = new CancellationTokenSource(Wait.Limit);
        while (CountedPayload.AliveOf(length) > 0)
        {
            await Task.Yield();
            Assert.False(limit.IsCancellationRequested, $"{CountedPayload.AliveOf(length)} payloads of {length} bytes are left");
        }

        Assert.Equal(0, CountedPayload.DisposedTwice(length));
    }

    [Theory]
    [InlineData(Inline - 1, false)]
    [InlineData(Inline - 2, true)]
    [InlineData(Inline + 3, false)]
    [InlineData(Inline + 4, true)]
    [InlineData((3 * Chunked) + 5, false)]
    [InlineData((3 * Chunked) + 6, true)]
    public async Task Call_ThatIsAnswered_LeavesNone(int length, bool same)
    {
        using (var payload = new CountedPayload(length))
        {
            new Random(length).NextBytes(payload.Bytes);
            using var answer = await Grain.Echo(payload, same, wait: false, default).Soon();
            Assert.NotSame(payload, answer);
            Assert.Equal(payload.Bytes, answer.Bytes);
        }

        await AssertGoneAsync(length);
    }

    [Theory]
    [InlineData(Inline - 7)]
    [InlineData(Inline + 7)]
    public async Task Call_ThatFails_LeavesNone(int length)
    {
        using (var payload = new CountedPayload(length))
        {
            await Assert.ThrowsAsync<RemoteException>(() => Grain.Fail(payload).Soon());
        }

        await AssertGoneAsync(length);
    }

    [Theory]
    [InlineData(Inline - 8, false)]
    [InlineData(Inline + 8, false)]
    [InlineData(Inline - 9, true)]
    [InlineData(Inline + 9, true)]
    public async Task Call_WhoseCallerHasGone_LeavesNone(int length, bool same)
    {
        using (var payload = new CountedPayload(length))
        {
            using var source = new CancellationTokenSource();
            var call = Grain.Echo(payload, same, wait: true, source.Token);
            await Silo.Probe.Reached("start").Soon();
            await source.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call.Soon());
            Silo.Probe.Set("release");
        }

        await AssertGoneAsync(length);
    }

    [Fact]
    public async Task Call_WhoseConnectionBreaksBeforeItsAnswer_LeavesNone()
    {
        const int Length = Chunked + 11;
        using (var payload = new CountedPayload(Length))
        {
            var call = Grain.Echo(payload, same: false, wait: true, default);
            await Silo.Probe.Reached("start").Soon();
            _cluster.Membership.Set(Silo.Address, SiloStatus.Dead);
            await Assert.ThrowsAsync<SiloUnavailableException>(() => call.Soon());
            Silo.Probe.Set("release");
        }

        await AssertGoneAsync(Length);
    }
}
