namespace Cluster.Runtime;

/// <summary>Answers hellos.</summary>
internal sealed class Acceptor(MessagingContext context, PeerConnections connections)
{
    /// <summary>Set when this process takes no more connections.</summary>
    public bool IsStopping { get; set; }

    /// <summary>Who connected, once it is accepted; null: it was told why not.</summary>
    /// <exception cref="WireFormatException">It does not speak this protocol.</exception>
    /// <exception cref="IOException">It went away.</exception>
    /// <exception cref="OperationCanceledException">It took too long.</exception>
    public async Task<(Hello? Hello, string Reason)> AcceptAsync(Stream stream, CancellationToken stopping)
    {
        using var limit = new CancellationTokenSource(context.Options.ConnectTimeout, context.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, stopping);
        var hello = await Handshake.ReadHelloAsync(stream, either.Token).ConfigureAwait(false);
        var welcome = Judge(hello);
        await Handshake.WriteAsync(stream, welcome, either.Token).ConfigureAwait(false);
        return (welcome.Result == HandshakeResult.Accepted ? hello : null, welcome.Reason);
    }

    private Welcome Judge(Hello hello)
    {
        var local = context.Local;
        var clusterId = context.Runtime.Silo.ClusterId;
        if (hello.ClusterId != clusterId)
        {
            return new Welcome(HandshakeResult.OtherCluster, 0, $"{local} belongs to cluster '{clusterId}', not '{hello.ClusterId}'");
        }

        var version = Math.Min(hello.MaxVersion, WireLimits.MaxVersion);
        if (version < hello.MinVersion || version < WireLimits.MinVersion)
        {
            return new Welcome(
                HandshakeResult.NoCommonVersion,
                0,
                $"{local} speaks versions {WireLimits.MinVersion} to {WireLimits.MaxVersion}, {hello.Silo} {hello.MinVersion} to {hello.MaxVersion}");
        }

        if (hello.Target != local)
        {
            return new Welcome(HandshakeResult.OtherSilo, 0, $"this is {local}, not {hello.Target}");
        }

        if (hello.Role == PeerRole.Silo && context.Runtime.Membership.CurrentSnapshot.GetSiloStatus(hello.Silo) == SiloStatus.Dead)
        {
            return new Welcome(HandshakeResult.Dead, 0, $"{hello.Silo} is dead in the membership of {local}");
        }

        if (hello.Role == PeerRole.Silo && connections.IsCrossing(hello.Silo))
        {
            return new Welcome(HandshakeResult.Crossing, 0, $"{local} is connecting to {hello.Silo}");
        }

        return IsStopping
            ? new Welcome(HandshakeResult.Stopping, 0, $"{local} is stopping")
            : new Welcome(HandshakeResult.Accepted, version, "");
    }
}
