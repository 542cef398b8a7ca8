using System.Collections.Concurrent;
using System.Net.Sockets;
using Cluster.Runtime.CodeGeneration;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Cluster.Runtime;

/// <summary>All connections of this process: one to each silo that it calls or is called by, one to each client.</summary>
internal sealed class PeerConnections : IMessageTransport, ISiloProber, IDisposable
{
    /// <summary>Wrong addresses in a row after which a call fails.</summary>
    private const int MaxRedirects = 3;

    private readonly IServiceProvider _services;
    private readonly MessagingOptions _options;
    private readonly MessagingMetrics _metrics;
    private readonly ILogger _logger;
    private readonly ConcurrentDictionary<SiloAddress, Peer> _peers = new();
    private readonly ConcurrentDictionary<Connection, SiloAddress> _open = new();
    private readonly CancellationTokenSource _stopping = new();
    private readonly Lazy<MessagingContext> _context;
    private readonly Lazy<Connector> _connector;
    private long _lastKeepAlive;

    public PeerConnections(
        IServiceProvider services, IOptions<MessagingOptions> options, MessagingMetrics metrics, ILogger<PeerConnections> logger)
    {
        _services = services;
        _options = options.Value;
        _metrics = metrics;
        _logger = logger;
        metrics.ObserveQueue(() => QueuedBytes);
        _context = new Lazy<MessagingContext>(CreateContext);
        _connector = new Lazy<Connector>(() => new Connector(Context, _stopping.Token));
    }

    public event Action<SiloAddress>? ConnectionLost;

    /// <summary>The runtime needs a transport to be made, and the transport the runtime to be used.</summary>
    public MessagingContext Context => _context.Value;

    public Connector Connector => _connector.Value;

    /// <summary>The other ends of all open connections.</summary>
    public IEnumerable<SiloAddress> Connected => _open.Values;

    /// <summary>Bytes that wait to be written, on all connections.</summary>
    public long QueuedBytes => _open.Keys.Sum(static connection => connection.QueuedBytes);

    public void Send(SiloAddress silo, GrainCall call) => PeerOf(silo).Send(call);

    public bool IsReachable(SiloAddress silo) => _peers.TryGetValue(silo, out var peer) ? peer.IsReachable : !IsDead(silo);

    public ValueTask<ProbeOutcome> ProbeAsync(SiloAddress target, TimeSpan timeout, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(timeout, TimeSpan.Zero);
        cancellationToken.ThrowIfCancellationRequested();
        return target == Context.Local ? new(ProbeOutcome.Alive) : PeerOf(target).ProbeAsync(timeout, cancellationToken);
    }

    public ValueTask<ProbeOutcome?> ProbeThroughAsync(
        SiloAddress intermediary, SiloAddress target, TimeSpan timeout, CancellationToken cancellationToken) =>
        PeerOf(intermediary).ProbeThroughAsync(target, timeout, cancellationToken);

    /// <summary>This process is connecting to that silo: the silo's own connection must give way.</summary>
    public bool IsCrossing(SiloAddress silo) => _peers.TryGetValue(silo, out var peer) && peer.IsCrossing;

    /// <summary>Begins to run a connection that has shaken hands.</summary>
    public Connection Open(NetworkStream stream, SiloAddress remote, PeerRole role)
    {
        var connection = new Connection(Context, stream, remote, role) { Handlers = new ConnectionHandlers(Redirect, ProbeForOtherAsync) };
        _open.TryAdd(connection, remote);
        _metrics.Opened();
        Log.Connected(_logger, remote, role);
        _ = RunAsync(connection);
        return connection;
    }

    /// <summary>Runs a connection that the other end made.</summary>
    public void Accept(NetworkStream stream, Hello hello)
    {
        var connection = Open(stream, hello.Silo, hello.Role);
        if (hello.Role == PeerRole.Silo)
        {
            PeerOf(hello.Silo).Adopt(connection);
        }
    }

    public void OnConnectFailed(SiloAddress silo, ConnectFailure failure)
    {
        if (_stopping.IsCancellationRequested)
        {
            return;
        }

        _metrics.Failed();
        Log.ConnectFailed(_logger, silo, failure.Reason);
        if (failure.Outcome is ProbeOutcome.Refused or ProbeOutcome.Replaced)
        {
            ConnectionLost?.Invoke(silo);
        }
    }

    public void KeepAlive()
    {
        // If this process itself was suspended, the others' signs of life wait to be read.
        var since = _lastKeepAlive == 0 ? TimeSpan.Zero : Context.Time.GetElapsedTime(_lastKeepAlive);
        _lastKeepAlive = Context.Time.GetTimestamp();
        foreach (var connection in _open.Keys)
        {
            connection.KeepAlive(mayGiveUp: since < 2 * _options.KeepAliveInterval);
        }
    }

    /// <summary>Closes the connections of silos that the membership has declared dead, and fails what waits for them.</summary>
    public void BuryDead(ClusterMembershipSnapshot snapshot)
    {
        foreach (var (silo, peer) in _peers)
        {
            if (snapshot.GetSiloStatus(silo) == SiloStatus.Dead)
            {
                peer.Bury();
                _peers.TryRemove(silo, out _);
            }
        }

        foreach (var (connection, silo) in _open)
        {
            if (connection.Role == PeerRole.Silo && snapshot.GetSiloStatus(silo) == SiloStatus.Dead)
            {
                connection.Abort("the membership has declared it dead", CloseCause.Orderly);
            }
        }
    }

    /// <summary>Says goodbye to everybody and closes what is answered, all of it when the time is over.</summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(_options.DrainTimeout, Context.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        await _stopping.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll(_open.Keys.Select(connection => connection.StopAsync(either.Token))).ConfigureAwait(false);
    }

    public void Dispose()
    {
        foreach (var connection in _open.Keys)
        {
            connection.Dispose();
        }

        _stopping.Dispose();
    }

    private bool IsDead(SiloAddress silo) => Context.Runtime.Membership.CurrentSnapshot.GetSiloStatus(silo) == SiloStatus.Dead;

    private Peer PeerOf(SiloAddress silo) => _peers.TryGetValue(silo, out var peer) ? peer : AddPeer(silo);

    private Peer AddPeer(SiloAddress silo)
    {
        var peer = _peers.GetOrAdd(silo, static (silo, self) => new Peer(self, self.Context, silo), this);

        // Looked at after the peer is listed: either this or BuryDead sees that it is dead.
        if (IsDead(silo))
        {
            peer.Bury();
        }

        return peer;
    }

    private async Task RunAsync(Connection connection)
    {
        // Elsewhere, so that whoever opened it can make it known before it ends.
        await Task.Yield();
        await connection.RunAsync().ConfigureAwait(false);
        _open.TryRemove(connection, out _);
        _metrics.Closed();
        if (connection.Role == PeerRole.Silo && _peers.TryGetValue(connection.Remote, out var peer))
        {
            peer.Detach(connection);
        }

        // A client may go as it likes.
        if (connection.Role == PeerRole.Client || connection.Cause == CloseCause.Orderly)
        {
            Log.Closed(_logger, connection.Remote, connection.Reason);
            return;
        }

        _metrics.Lost();
        Log.Lost(_logger, connection.Remote, connection.Reason);
        if (connection.Cause == CloseCause.Lost)
        {
            ConnectionLost?.Invoke(connection.Remote);
        }
    }

    // Only silos of the table are probed for others: nobody makes this process connect to where he likes.
    private async Task<ProbeOutcome> ProbeForOtherAsync(SiloAddress target, TimeSpan timeout)
    {
        try
        {
            return Context.Runtime.Membership.CurrentSnapshot.Members.ContainsKey(target)
                ? await ProbeAsync(target, timeout, _stopping.Token).ConfigureAwait(false)
                : ProbeOutcome.TimedOut;
        }
        catch (Exception exception) when (exception is OperationCanceledException or ObjectDisposedException)
        {
            return ProbeOutcome.TimedOut;
        }
    }

    private void Redirect(GrainCall call, GrainAddress address)
    {
        var runtime = Context.Runtime;
        call.Observe(null);
        call.Redirects++;
        if (call.Redirects > MaxRedirects || address.SiloAddress is null)
        {
            call.Fail(new SiloUnavailableException($"{call.Target} was on none of the {call.Redirects} silos that were thought to have it"));
        }
        else if (address.SiloAddress == runtime.Silo.SiloAddress)
        {
            runtime.Router.RouteHere(call);
        }
        else
        {
            if (!address.ActivationId.IsDefault)
            {
                runtime.Locator.Learn(address);
            }

            Send(address.SiloAddress, call);
        }
    }

    private MessagingContext CreateContext()
    {
        var runtime = (ActorRuntime)_services.GetService(typeof(ActorRuntime))!;
        return new MessagingContext(runtime, _options, new ExceptionFormat(runtime.Manifest), _metrics, _logger);
    }
}
