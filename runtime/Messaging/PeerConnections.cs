using System.Collections.Concurrent;
using Cluster.Runtime.CodeGeneration;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Cluster.Runtime;

/// <summary>All connections of this process: one to each silo that it calls or is called by, one to each client.</summary>
internal sealed class PeerConnections : IMessageTransport, IProbeService, IDisposable
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

    public PeerConnections(
        IServiceProvider services, IOptions<MessagingOptions> options, MessagingMetrics metrics, ILogger<PeerConnections> logger)
    {
        _services = services;
        _options = options.Value;
        _metrics = metrics;
        _logger = logger;
        _context = new Lazy<MessagingContext>(CreateContext);
    }

    public event Action<ConnectionLoss>? ConnectionLost;

    /// <summary>The runtime needs a transport to be made, and the transport the runtime to be used.</summary>
    public MessagingContext Context => _context.Value;

    public int OpenConnections => _open.Count;

    public void Send(SiloAddress silo, GrainCall call) => PeerOf(silo).Send(call);

    public ValueTask<ProbeResult> ProbeAsync(SiloAddress silo, TimeSpan timeout, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(timeout, TimeSpan.Zero);
        cancellationToken.ThrowIfCancellationRequested();
        return silo == Context.Local
            ? ValueTask.FromResult(new ProbeResult(ProbeOutcome.Answered, TimeSpan.Zero, ""))
            : PeerOf(silo).ProbeAsync(timeout, cancellationToken);
    }

    public Task<(Stream? Stream, ConnectFailure? Failure)> ConnectAsync(SiloAddress silo) =>
        new Connector(Context).ConnectAsync(silo, _stopping.Token);

    /// <summary>Begins to run a connection that has shaken hands.</summary>
    public Connection Open(Stream stream, SiloAddress remote, PeerRole role)
    {
        var connection = new Connection(Context, stream, remote, role) { Redirected = Redirect };
        _open.TryAdd(connection, remote);
        _metrics.Opened();
        Log.Connected(_logger, remote, role);
        _ = RunAsync(connection);
        return connection;
    }

    /// <summary>Runs a connection that the other end made.</summary>
    public void Accept(Stream stream, Hello hello)
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
        ConnectionLost?.Invoke(new ConnectionLoss(silo, failure.Kind, failure.Reason));
    }

    public void KeepAlive()
    {
        foreach (var connection in _open.Keys)
        {
            connection.KeepAlive();
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

    private Peer PeerOf(SiloAddress silo) =>
        _peers.TryGetValue(silo, out var peer) ? peer : _peers.GetOrAdd(silo, static (silo, self) => new Peer(self, self.Context, silo), this);

    private async Task RunAsync(Connection connection)
    {
        // Elsewhere, so that whoever opened it can make it known before it ends.
        await Task.Yield();
        await connection.RunAsync().ConfigureAwait(false);
        _open.TryRemove(connection, out _);
        if (connection.Role == PeerRole.Silo)
        {
            PeerOf(connection.Remote).Detach(connection);
        }

        _metrics.Closed();
        if (connection.LossKind is not { } kind)
        {
            Log.Closed(_logger, connection.Remote, connection.Reason);
            return;
        }

        // A client may go as it likes.
        if (connection.Role == PeerRole.Client)
        {
            Log.Closed(_logger, connection.Remote, connection.Reason);
            return;
        }

        _metrics.Lost();
        Log.Lost(_logger, connection.Remote, connection.Reason);
        ConnectionLost?.Invoke(new ConnectionLoss(connection.Remote, kind, connection.Reason));
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
