using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Cluster.Security;
using Cluster.Silo.Transport;
using Cluster.Tests.Common;
using Xunit;

namespace Cluster.Unit.Transport;

/// <summary>Which peers a process takes, and which it refuses.</summary>
[Collection(nameof(TransportCollection))]
public sealed class PeerTlsTests : TlsTestBase
{
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
    public Task Peer_OfTheSameAuthorityWithAnotherName_IsRefused(string name, string fault) => RefusesAsync(TestPeer.Create(Authority, name), Enum.Parse<PeerFault>(fault));

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
        using var revoked = Authority.Issue(new TestSubject(TestPeer.Silo));
        Authority.Revoke(revoked);
        using var own = Authority.Issue(new TestSubject(TestPeer.Silo));
        using var strict = new TestPeer(Authority, own, withRevocations: true);
        using var peer = new TestPeer(Authority, revoked);

        await FailsAsync(peer, strict);
        Assert.Equal(1, strict.Refusals(PeerFault.Revoked));
        await OpensAsync(Silo, strict);
    }

    /// <summary>The certificates between a peer and the root come from the peer, either way.</summary>
    [Fact]
    public async Task Peer_OfAnAuthorityBetween_SendsItsChain()
    {
        using var between = Authority.CreateBelow("CN=Between");
        using var certificate = between.Issue(new TestSubject(TestPeer.Silo));
        using var peer = new TestPeer(Authority, certificate, between: between);
        using var chainless = new TestPeer(Authority, certificate);

        await OpensAsync(peer, Silo);
        await OpensAsync(Gateway, peer);
        await FailsAsync(chainless, Silo);

        Assert.Equal(1, Silo.Refusals(PeerFault.UnknownAuthority));
        Assert.Empty(peer.StartLog.Problems);
        Assert.Contains("unknown authority", Assert.Single(chainless.StartLog.Problems), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Dialled_ThatIsNoPeer_IsRefusedByTheOneThatDialled()
    {
        using var stranger = TestPeer.Create(Authority, "cluster://other/silo");

        await FailsAsync(Gateway, stranger);

        Assert.Equal(1, Gateway.Refusals(PeerFault.WrongRole));
    }

    [Fact]
    public async Task Peer_WithoutACertificate_IsRefused()
    {
        var (client, server) = await FrameEnds.ConnectAsync();
        using var stream = new SslStream(new NetworkStream(client, ownsSocket: true));
        var open = Silo.OpenAsync(server, isServer: true);
        var options = new SslClientAuthenticationOptions { RemoteCertificateValidationCallback = static (_, shown, _, _) => shown is not null };
        var shake = stream.AuthenticateAsClientAsync(options, TestContext.Current.CancellationToken);

        await Assert.ThrowsAsync<IOException>(() => open);
        server.Dispose();
        await Record.ExceptionAsync(() => shake.Soon());
        Assert.Equal(1, Silo.Refusals(PeerFault.NoCertificate));
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
            var open = Silo.OpenAsync(server, isServer: true);
            await client.SendAsync(bytes, SocketFlags.None);
            client.Shutdown(SocketShutdown.Send);

            await Assert.ThrowsAsync<IOException>(() => open);
            server.Dispose();
            Assert.Equal(1, Silo.Refusals(PeerFault.Handshake));
        }

        await OpensAsync(Gateway, Silo);
    }

    [Fact]
    public async Task Peer_ThatStopsAmidAHandshake_IsClosedAfterTheTimeout()
    {
        var time = new ManualTimeProvider();
        using var silo = TestPeer.Create(Authority, time: time);
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
        var open = Silo.OpenAsync(server, isServer: true);
        client.Dispose();

        await Assert.ThrowsAsync<EndOfStreamException>(() => open);
        server.Dispose();
        Assert.Empty(Silo.Log.Entries);
    }

    [Fact]
    public async Task HalfOpenPeers_MoreThanMayBe_MakeWayForOneThatAnswers()
    {
        using var silo = TestPeer.Create(Authority, limits: new PeerTlsLimits { Handshakes = 4 });
        var pairs = new List<(Socket Client, Socket Server, Task Open)>();
        for (var i = 0; i < 10; i++)
        {
            var (client, server) = await FrameEnds.ConnectAsync();
            pairs.Add((client, server, silo.OpenAsync(server, isServer: true)));
        }

        Assert.Equal(4, silo.Channels.Pending);
        await Assert.ThrowsAsync<IOException>(() => pairs[0].Open);
        await OpensAsync(Gateway, silo);

        pairs.ForEach(static pair => pair.Client.Dispose());
        await Task.WhenAll(pairs.Select(static pair => Record.ExceptionAsync(() => pair.Open).AsTask())).Soon();
        pairs.ForEach(static pair => pair.Server.Dispose());
        Assert.Equal(0, silo.Channels.Pending);
        Assert.Equal(7, silo.Refusals(PeerFault.TooMany));
    }

    [Fact]
    public async Task Refusals_OfOneCause_AreOneLineAndAllCounted()
    {
        using var stranger = TestPeer.Create(Authority, "cluster://other/silo");
        for (var i = 0; i < 5; i++)
        {
            await FailsAsync(stranger, Silo);
        }

        Assert.Equal(5, Silo.Refusals(PeerFault.WrongRole) + Silo.Refusals(PeerFault.Handshake));
        Assert.All(Silo.Log.Problems.GroupBy(static line => line.Split(": ")[1]), static lines => Assert.Single(lines));
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
        using var certificate = Authority.Issue(subject);
        await RefusesAsync(new TestPeer(Authority, certificate), fault);
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
            var open = Silo.OpenAsync(right, isServer: true);
            var options = new SslClientAuthenticationOptions { ClientCertificateContext = SslStreamCertificateContext.Create(certificate, null, offline: true), RemoteCertificateValidationCallback = static (_, shown, _, _) => shown is not null };
            var shake = stranger.AuthenticateAsClientAsync(options, TestContext.Current.CancellationToken);

            await Assert.ThrowsAsync<IOException>(() => open);
            right.Dispose();
            await Record.ExceptionAsync(() => shake.Soon());
            Assert.Equal(1, Silo.Refusals(fault));
            Assert.Single(Silo.Log.Problems);
        }
    }
}
