using Cluster.Tests.Common;
using Xunit;

namespace Cluster.Unit.Transport;

/// <summary>Two processes of one cluster, each with a certificate of the same authority.</summary>
public abstract class TlsTestBase : IDisposable
{
    protected TlsTestBase()
    {
        Silo = TestPeer.Create(Authority);
        Gateway = TestPeer.Create(Authority, "cluster://tests/gateway");
    }

    internal TestAuthority Authority { get; } = TestAuthority.Create(TimeProvider.System);

    internal TestPeer Silo { get; }

    internal TestPeer Gateway { get; }

    public void Dispose()
    {
        Silo.Dispose();
        Gateway.Dispose();
        Authority.Dispose();
        GC.SuppressFinalize(this);
    }

    internal static Task<FrameEnds> OpenAsync(TestPeer client, TestPeer server) =>
        FrameEnds.OpenAsync(open: (socket, isServer) => (isServer ? server : client).OpenAsync(socket, isServer));

    internal static async Task OpensAsync(TestPeer client, TestPeer server)
    {
        await using var ends = await OpenAsync(client, server);
        await FrameEnds.SendAsync(ends.Left.Output, new TestMessage(3, 0, []));
        Assert.NotNull(await FrameEnds.ReceiveAsync(ends.Right.Input, 1).Soon());
    }
}
