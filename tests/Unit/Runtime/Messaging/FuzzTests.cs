using System.Diagnostics.CodeAnalysis;
using Cluster.Tests.Common;
using Cluster.Unit.Runtime.Grains;
using FsCheck.Fluent;
using Xunit;

namespace Cluster.Unit.Runtime.Messaging;

/// <summary>Nonsense on the wire ends its connection, and nothing else.</summary>
[SuppressMessage("Design", "CA1001", Justification = "xunit calls DisposeAsync.")]
public sealed class FuzzTests : IAsyncLifetime
{
    private static readonly SiloAddress Stranger = SiloAddress.FromParsableString("127.0.0.1:1@1");

    private readonly TestCluster _cluster = new();

    private TestNode Silo { get; set; } = null!;

    private TestNode Client { get; set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Silo = await _cluster.AddSiloAsync();
        Client = await _cluster.AddClientAsync();
    }

    // A node that logs an error fails the test here.
    public async ValueTask DisposeAsync()
    {
        // A damaged call may have been read as one that waits for this.
        Silo.Probe.Set("release");
        await _cluster.DisposeAsync();
    }

    /// <summary>What a client sends for some calls, one of them with a payload in chunks.</summary>
    private async Task<byte[]> RecordAsync()
    {
        using var fake = new FakeSilo();
        _cluster.Membership.Set(fake.Address, SiloStatus.Active);
        await _cluster.RegisterAsync(fake.Address, Client.Get<IWireGrain>("recorded").GetGrainId());
        await _cluster.RegisterAsync(fake.Address, Client.Get<ICountedGrain>("recorded").GetGrainId());
        using var payload = new CountedPayload(WireLimits.MaxInlineSegment + 1000);
        var first = Client.Get<ICountedGrain>("recorded").Echo(payload, same: false, wait: false, default);
        using var stream = await fake.AcceptAsync();
        var second = Client.Get<IWireGrain>("recorded").Echo(new WireValues { Text = "hello", Texts = ["a", "b"], Pair = ("p", 1), Node = new WireNode("n") });
        var bytes = new byte[payload.Bytes.Length + 300];
        await stream.ReadAtLeastAsync(bytes, payload.Bytes.Length + 200).AsTask().Soon();
        stream.Close();
        await Assert.ThrowsAsync<SiloUnavailableException>(() => first.Soon());
        await Assert.ThrowsAsync<SiloUnavailableException>(() => second.Soon());
        _cluster.Membership.Set(fake.Address, SiloStatus.Dead);
        return bytes;
    }

    private async Task SendAsync(byte[] bytes)
    {
        var (stream, welcome) = await FakeSilo.ConnectAsync(
            Silo.Address.Endpoint, new Hello(WireLimits.MinVersion, WireLimits.MaxVersion, PeerRole.Client, "test", Stranger, Silo.Address));
        using (stream)
        {
            Assert.Equal(HandshakeResult.Accepted, welcome.Result);
            try
            {
                await stream.WriteAsync(bytes).AsTask().Soon();
                stream.Socket.Shutdown(System.Net.Sockets.SocketShutdown.Send);
                await stream.CopyToAsync(Stream.Null).Soon("the silo's end of the connection");
            }
            catch (IOException)
            {
                // The silo closed it before it had read everything: as it should.
            }
        }
    }

    [Fact]
    public async Task Frames_ThatAreDamaged_HarmNobodyElse()
    {
        var recorded = await RecordAsync();
        var edits = Gen.ListOf(Gen.Zip(Gen.OneOf(Gen.Choose(0, 200), Gen.Choose(0, recorded.Length - 1)), Gen.Choose(0, 255)));
        foreach (var edit in edits.Sample(150, 10))
        {
            var damaged = recorded.ToArray();
            foreach (var (position, value) in edit)
            {
                damaged[position] = (byte)value;
            }

            await SendAsync(damaged);
        }

        Assert.Equal(Silo.Address.ToParsableString(), await Client.Get<IWireGrain>("alive").Silo().Soon());
    }

    [Fact]
    public async Task Frames_OfRandomBytes_HarmNobodyElse()
    {
        foreach (var bytes in Gen.ArrayOf(Gen.Choose(0, 255).Select(static value => (byte)value)).Sample(150, 100))
        {
            await SendAsync(bytes);
        }

        Assert.Equal(Silo.Address.ToParsableString(), await Client.Get<IWireGrain>("alive").Silo().Soon());
    }

    [Fact]
    public async Task Handshake_OfRandomBytes_IsRefused()
    {
        foreach (var bytes in Gen.ArrayOf(Gen.Choose(0, 255).Select(static value => (byte)value)).Sample(50, 100))
        {
            using var client = new System.Net.Sockets.TcpClient();
            await client.ConnectAsync(Silo.Address.Endpoint).Soon();
            var stream = client.GetStream();
            try
            {
                await stream.WriteAsync(bytes).AsTask().Soon();
                client.Client.Shutdown(System.Net.Sockets.SocketShutdown.Send);
                Assert.Equal(0, await stream.ReadAsync(new byte[1]).AsTask().Soon());
            }
            catch (IOException)
            {
                // Reset: refused as well.
            }
        }
    }

    [Fact]
    public async Task Frame_ThatAnnouncesTooMuch_EndsTheConnectionBeforeAnythingIsAllocated()
    {
        var header = new byte[FrameHeader.Size];
        new FrameHeader(WireLimits.MaxBodyLength + 1, FrameType.Call, 0, 0, 1).Write(header);

        await SendAsync(header);

        await Silo.Log.UntilAsync(static entry => entry.Id == 1102 && entry.Message.Contains("broke the protocol"));
    }
}
