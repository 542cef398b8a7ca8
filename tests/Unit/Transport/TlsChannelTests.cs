using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Cluster.Contracts.Buffers;
using Cluster.Security;
using Cluster.Silo.Transport;
using Cluster.Tests.Common;
using Xunit;

namespace Cluster.Unit.Transport;

[Collection(nameof(TransportCollection))]
public sealed class TlsChannelTests : IDisposable
{
    private const int KiB = 1 << 10;
    private const int MiB = 1 << 20;

    private readonly TestAuthority _authority = TestAuthority.Create(TimeProvider.System);
    private readonly TestPeer _silo;
    private readonly TestPeer _gateway;

    public TlsChannelTests()
    {
        _silo = TestPeer.Create(_authority);
        _gateway = TestPeer.Create(_authority, "cluster://tests/gateway");
    }

    public void Dispose()
    {
        _silo.Dispose();
        _gateway.Dispose();
        _authority.Dispose();
    }

    [Theory]
    [InlineData(8 * KiB, 0)]
    [InlineData((16 * KiB) - FrameHeader.Size, 0)]
    [InlineData(64 * KiB, 3)]
    [InlineData((600 * KiB) + 1, 7)]
    [InlineData(FrameSender.PieceBytes, 1)]
    [InlineData(FrameSender.PieceBytes + 1, 5)]
    [InlineData(64 * MiB, 2)]
    public async Task Message_WithAPayload_ArrivesWithItsBytesAndItsPadding(int length, int padding)
    {
        var buffers = new Buffers();
        await using (var ends = await OpenAsync(_gateway, _silo))
        {
            using var payload = Payload(length, padding);
            foreach (var (from, to) in new[] { (ends.Left, ends.Right), (ends.Right, ends.Left) })
            {
                var received = FrameEnds.ReceiveAsync(to.Input, 1);
                await FrameEnds.SendAsync(from.Output, new TestMessage(7, 100, [payload]));

                var message = Assert.Single((await received.Soon())!);
                using var arrived = Assert.Single(message.Payloads);
                Assert.Equal(padding, arrived.Padding);
                Assert.True(arrived.Span.SequenceEqual(payload.Span));
            }
        }

        await buffers.AllBackAsync();
    }

    /// <summary>Sizes on both sides of each border of a record: all come, in their order.</summary>
    [Fact]
    public async Task Messages_OfManySizes_AllArrive()
    {
        var random = new Random(7);
        var buffers = new Buffers();
        await using (var ends = await OpenAsync(_silo, _silo))
        {
            for (var round = 0; round < 30; round++)
            {
                var payloads = Enumerable.Range(0, random.Next(4)).Select(_ => Payload(random.Next(8 * KiB, 40 * KiB), random.Next(8))).ToList();
                var received = FrameEnds.ReceiveAsync(ends.Right.Input, 2);
                await FrameEnds.SendAsync(ends.Left.Output, new TestMessage(round, random.Next(40 * KiB), payloads), new TestMessage(-round, 0, []));

                var messages = (await received.Soon())!;
                Assert.Equal([round, -round], messages.Select(static message => message.Mark));
                Assert.All(messages[0].Payloads.Zip(payloads), static pair => Assert.True(pair.First.Span.SequenceEqual(pair.Second.Span)));
                foreach (var payload in messages[0].Payloads.Concat(payloads))
                {
                    payload.Dispose();
                }
            }
        }

        await buffers.AllBackAsync();
    }

    [Theory]
    [InlineData(64 * KiB)]
    [InlineData(16 * MiB)]
    public async Task Connection_CutAmidAPayload_GivesAllMemoryBack(int length)
    {
        var buffers = new Buffers();
        await using (var ends = await OpenAsync(_gateway, _silo))
        {
            using var payload = Payload(length, 0);
            var received = FrameEnds.ReceiveAsync(ends.Right.Input, 1);
            for (var i = 0; i < 40; i++)
            {
                // Until the socket takes no more: the other end reads one.
                if (await Task.WhenAny(FrameEnds.SendAsync(ends.Left.Output, new TestMessage(i, 0, [payload])).AsTask(), Task.Delay(50, TestContext.Current.CancellationToken)) is not Task<System.IO.Pipelines.FlushResult>)
                {
                    break;
                }
            }

            (await received.Soon())![0].Payloads[0].Dispose();
            ends.Left.Abort();

            while (await FrameEnds.ReceiveAsync(ends.Right.Input, 1).Soon() is { } more)
            {
                more[0].Payloads[0].Dispose();
            }
        }

        await buffers.AllBackAsync();
    }

    /// <summary>As Orleans closes a connection.</summary>
    [Fact]
    public async Task Cancel_OfAPendingRead_EndsIt()
    {
        await using var ends = await OpenAsync(_gateway, _silo);
        var read = ends.Right.Input.ReadAsync(TestContext.Current.CancellationToken).AsTask();

        ends.Right.Input.CancelPendingRead();

        Assert.True((await read.Soon()).IsCanceled);
    }

    [Fact]
    public async Task PeerThatEnds_IsTheEndOfReading()
    {
        await using var ends = await OpenAsync(_gateway, _silo);

        await ends.Left.DisposeAsync();

        Assert.True((await ends.Right.Input.ReadAsync(TestContext.Current.CancellationToken).AsTask().Soon()).IsCompleted);
        Assert.Empty(ends.Log.Problems);
    }

    [Fact]
    public Task Peer_OfAnotherAuthority_IsRefused()
    {
        var other = TestAuthority.Create(TimeProvider.System);
        return RefusesAsync(TestPeer.Create(other), PeerFault.UnknownAuthority, other);
    }

    [Theory]
    [InlineData("cluster://other/silo", nameof(PeerFault.WrongRole))]
    [InlineData("cluster://tests/client", nameof(PeerFault.WrongRole))]
    [InlineData("cluster://tests/silo/", nameof(PeerFault.WrongRole))]
    [InlineData("cluster://tests/silo\0", nameof(PeerFault.WrongRole))]
    [InlineData("spiffe://tests/silo", nameof(PeerFault.WrongRole))]
    public Task Peer_OfTheSameAuthorityWithAnotherName_IsRefused(string name, string fault) => RefusesAsync(TestPeer.Create(_authority, name), Enum.Parse<PeerFault>(fault));

    [Fact]
    public Task Client_WithACertificateOfTheSameAuthority_IsRefused() => RefusesAsync(new TestSubject([], ForServer: false), PeerFault.WrongRole);

    [Fact]
    public Task Peer_WhoseCertificateHasExpired_IsRefused() =>
        RefusesAsync(new TestSubject([TestPeer.Silo], From: -TimeSpan.FromDays(2), To: -TimeSpan.FromDays(1)), PeerFault.Expired);

    [Fact]
    public Task Peer_WhoseCertificateBeginsLater_IsRefused() => RefusesAsync(new TestSubject([TestPeer.Silo], From: TimeSpan.FromDays(1)), PeerFault.NotYetValid);

    [Fact]
    public Task Peer_WhoseCertificateIsForServersAlone_MayNotConnect() => RefusesAsync(new TestSubject([TestPeer.Silo], ForClient: false), PeerFault.WrongUsage);

    [Fact]
    public async Task Peer_ThatIsRevoked_IsRefused()
    {
        using var revoked = _authority.Issue(new TestSubject(TestPeer.Silo));
        _authority.Revoke(revoked);
        using var own = _authority.Issue(new TestSubject(TestPeer.Silo));
        using var strict = new TestPeer(_authority, own, withRevocations: true);
        using var peer = new TestPeer(_authority, revoked);

        await FailsAsync(peer, strict);
        Assert.Equal(1, strict.Refusals(PeerFault.Revoked));
        await OpensAsync(_silo, strict);
    }

    /// <summary>The certificates between a peer and the root come from the peer, either way.</summary>
    [Fact]
    public async Task Peer_OfAnAuthorityBetween_SendsItsChain()
    {
        using var between = _authority.CreateBelow("CN=Between");
        using var certificate = between.Issue(new TestSubject(TestPeer.Silo));
        using var peer = new TestPeer(_authority, certificate, between: between);
        using var chainless = new TestPeer(_authority, certificate);

        await OpensAsync(peer, _silo);
        await OpensAsync(_gateway, peer);
        await FailsAsync(chainless, _silo);

        Assert.Equal(1, _silo.Refusals(PeerFault.UnknownAuthority));
        Assert.Empty(peer.StartLog.Problems);
        Assert.Contains("unknown authority", Assert.Single(chainless.StartLog.Problems), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Dialled_ThatIsNoPeer_IsRefusedByTheOneThatDialled()
    {
        using var stranger = TestPeer.Create(_authority, "cluster://other/silo");

        await FailsAsync(_gateway, stranger);

        Assert.Equal(1, _gateway.Refusals(PeerFault.WrongRole));
    }

    [Fact]
    public async Task Peer_WithoutACertificate_IsRefused()
    {
        var (client, server) = await FrameEnds.ConnectAsync();
        using var stream = new SslStream(new NetworkStream(client, ownsSocket: true));
        var open = _silo.OpenAsync(server, isServer: true);
        var options = new SslClientAuthenticationOptions { RemoteCertificateValidationCallback = static (_, shown, _, _) => shown is not null };
        var shake = stream.AuthenticateAsClientAsync(options, TestContext.Current.CancellationToken);

        await Assert.ThrowsAsync<IOException>(() => open);
        server.Dispose();
        await Record.ExceptionAsync(() => shake.Soon());
        Assert.Equal(1, _silo.Refusals(PeerFault.NoCertificate));
    }

    public static TheoryData<string, byte[]> Garbage() => new()
    {
        { "a frame", [0x43, 0x54, 0x46, 0x01, .. new byte[60]] },
        { "zeros", new byte[100] },
        { "HTTP", "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"u8.ToArray() },
        { "a record of TLS with nothing in it", [22, 3, 1, 0, 0] },
        { "a record of TLS with garbage", [22, 3, 1, 0, 4, 1, 2, 3, 4] },
        { "a record longer than there may be", [22, 3, 1, 0xFF, 0xFF, .. new byte[70_000]] },
    };

    [Theory]
    [MemberData(nameof(Garbage))]
    public async Task Peer_ThatSpeaksNoTls_IsRefusedAndOthersAreNot(string what, byte[] bytes)
    {
        Assert.NotEmpty(what);
        var (client, server) = await FrameEnds.ConnectAsync();
        using (client)
        {
            var open = _silo.OpenAsync(server, isServer: true);
            await client.SendAsync(bytes, SocketFlags.None);
            client.Shutdown(SocketShutdown.Send);

            await Assert.ThrowsAsync<IOException>(() => open);
            server.Dispose();
            Assert.Equal(1, _silo.Refusals(PeerFault.Handshake));
        }

        await OpensAsync(_gateway, _silo);
    }

    [Fact]
    public async Task Peer_ThatStopsAmidAHandshake_IsClosedAfterTheTimeout()
    {
        var time = new ManualTimeProvider();
        using var silo = TestPeer.Create(_authority, time: time);
        var (client, server) = await FrameEnds.ConnectAsync();
        using (client)
        {
            var open = silo.OpenAsync(server, isServer: true);
            await client.SendAsync(new byte[] { 22, 3, 1, 1, 0, 1, 0 }, SocketFlags.None);
            time.Advance(new PeerTlsLimits().Timeout);

            await Assert.ThrowsAsync<IOException>(() => open);
            server.Dispose();
        }

        Assert.Equal(1, silo.Refusals(PeerFault.Timeout));
        Assert.Equal(0, silo.Channels.Pending);
    }

    /// <summary>As other silos look whether a process listens.</summary>
    [Fact]
    public async Task Peer_ThatConnectsAndEnds_IsNoRefusal()
    {
        var (client, server) = await FrameEnds.ConnectAsync();
        var open = _silo.OpenAsync(server, isServer: true);
        client.Dispose();

        await Assert.ThrowsAsync<EndOfStreamException>(() => open);
        server.Dispose();
        Assert.Empty(_silo.Log.Entries);
    }

    [Fact]
    public async Task HalfOpenPeers_MoreThanMayBe_MakeWayForOneThatAnswers()
    {
        using var silo = TestPeer.Create(_authority, limits: new PeerTlsLimits { Handshakes = 4 });
        var pairs = new List<(Socket Client, Socket Server, Task Open)>();
        for (var i = 0; i < 10; i++)
        {
            var (client, server) = await FrameEnds.ConnectAsync();
            pairs.Add((client, server, silo.OpenAsync(server, isServer: true)));
        }

        Assert.Equal(4, silo.Channels.Pending);
        await Assert.ThrowsAsync<IOException>(() => pairs[0].Open);
        await OpensAsync(_gateway, silo);

        pairs.ForEach(static pair => pair.Client.Dispose());
        await Task.WhenAll(pairs.Select(static pair => Record.ExceptionAsync(() => pair.Open).AsTask())).Soon();
        pairs.ForEach(static pair => pair.Server.Dispose());
        Assert.Equal(0, silo.Channels.Pending);
        Assert.Equal(7, silo.Refusals(PeerFault.TooMany));
    }

    [Fact]
    public async Task Refusals_OfOneCause_AreOneLineAndAllCounted()
    {
        using var stranger = TestPeer.Create(_authority, "cluster://other/silo");
        for (var i = 0; i < 5; i++)
        {
            await FailsAsync(stranger, _silo);
        }

        Assert.Equal(5, _silo.Refusals(PeerFault.WrongRole) + _silo.Refusals(PeerFault.Handshake));
        Assert.All(_silo.Log.Problems.GroupBy(static line => line.Split(": ")[1]), static lines => Assert.Single(lines));
    }

    [Fact]
    public async Task Files_ThatChange_CountForTheNextConnection_AndTheOpenOneGoesOn()
    {
        var time = new ManualTimeProvider();
        using var authority = TestAuthority.Create(time);
        using var first = authority.Issue(new TestSubject(TestPeer.Silo));
        using var second = authority.Issue(new TestSubject(TestPeer.Silo));
        using var silo = new TestPeer(authority, first, time, withRevocations: true);
        using var gateway = new TestPeer(authority, second, time);
        await using var ends = await OpenAsync(gateway, silo);

        authority.Revoke(second);
        silo.Folder.Write("crl.pem", authority.RevocationListPem());
        time.Advance(WatchedFiles.Interval);
        await FailsAsync(gateway, silo);
        Assert.Equal(1, silo.Refusals(PeerFault.Revoked));

        await FrameEnds.SendAsync(ends.Left.Output, new TestMessage(3, 0, []));
        Assert.Equal(3, Assert.Single((await FrameEnds.ReceiveAsync(ends.Right.Input, 1).Soon())!).Mark);

        using var third = authority.Issue(new TestSubject(TestPeer.Silo));
        gateway.Folder.Write("own", third);
        time.Advance(WatchedFiles.Interval);
        await OpensAsync(gateway, silo);
    }

    private static Task<FrameEnds> OpenAsync(TestPeer client, TestPeer server) =>
        FrameEnds.OpenAsync(open: (socket, isServer) => (isServer ? server : client).OpenAsync(socket, isServer));

    private static async Task OpensAsync(TestPeer client, TestPeer server)
    {
        await using var ends = await OpenAsync(client, server);
        await FrameEnds.SendAsync(ends.Left.Output, new TestMessage(3, 0, []));
        Assert.NotNull(await FrameEnds.ReceiveAsync(ends.Right.Input, 1).Soon());
    }

    /// <summary>Neither end opens.</summary>
    private static async Task FailsAsync(TestPeer client, TestPeer server)
    {
        var (left, right) = await FrameEnds.ConnectAsync();
        var ends = new[] { FailsAsync(client, left, isServer: false), FailsAsync(server, right, isServer: true) };
        await Task.WhenAll(ends).Soon();
    }

    private static async Task FailsAsync(TestPeer peer, Socket socket, bool isServer)
    {
        using (socket)
        {
            await Assert.ThrowsAsync<IOException>(() => peer.OpenAsync(socket, isServer));
        }
    }

    private async Task RefusesAsync(TestSubject subject, PeerFault fault)
    {
        using var certificate = _authority.Issue(subject);
        await RefusesAsync(new TestPeer(_authority, certificate), fault);
    }

    private async Task RefusesAsync(TestPeer peer, PeerFault fault, TestAuthority? authority = null)
    {
        using (peer)
        using (authority)
        {
            // A stranger that would take this process for one of its own.
            var (left, right) = await FrameEnds.ConnectAsync();
            using var stranger = new SslStream(new NetworkStream(left, ownsSocket: true));
            using var certificate = X509Certificate2.CreateFromPemFile(peer.Folder["own.pem"], peer.Folder["own.key"]);
            var open = _silo.OpenAsync(right, isServer: true);
            var options = new SslClientAuthenticationOptions { ClientCertificateContext = SslStreamCertificateContext.Create(certificate, null, offline: true), RemoteCertificateValidationCallback = static (_, shown, _, _) => shown is not null };
            var shake = stranger.AuthenticateAsClientAsync(options, TestContext.Current.CancellationToken);

            await Assert.ThrowsAsync<IOException>(() => open);
            right.Dispose();
            await Record.ExceptionAsync(() => shake.Soon());
            Assert.Equal(1, _silo.Refusals(fault));
            Assert.Single(_silo.Log.Problems);
        }
    }

    private static PayloadBuffer Payload(int length, int padding)
    {
        var payload = PayloadBuffer.Rent(length, padding);
        new Random(length).NextBytes(payload.Span);
        return payload;
    }
}
