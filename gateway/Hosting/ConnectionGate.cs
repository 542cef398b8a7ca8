using System.Net;
using Cluster.Contracts.Logging;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Cluster.Gateway.Hosting;

/// <summary>
/// Keeps the connections of clients below the process' limit of file descriptors, so that files, models and other processes can still be reached. Where all places are taken, the
/// connection that has been idle for the longest makes way. So idle connections, however many, keep no request and no health check out. Thread-safe.
/// </summary>
/// <param name="limit">The most connections, at least 1.</param>
/// <param name="options">Those of one address, and how long each takes requests.</param>
/// <param name="holds">Addresses that get none for a while.</param>
/// <param name="random">Parts the ends of connections that began at once.</param>
internal sealed class ConnectionGate(int limit, LimitOptions options, AddressHolds holds, Random random, TimeProvider time, ILogger<ConnectionGate> logger)
{
    /// <summary>How far the age of a connection may be from the one that is set, as a share of it.</summary>
    private const double Jitter = 0.1;

    /// <summary>Descriptors that are left to files, models, other processes and Redis.</summary>
    private const int Reserve = 384;

    /// <summary>Connections that are refused late. They come out of the reserve.</summary>
    private const int MostLate = 64;

    /// <summary>A refusal as late as the end of a hold of this length.</summary>
    private static readonly TimeSpan Latest = TimeSpan.FromSeconds(10);

    private readonly Lock _lock = new();
    private readonly HashSet<ConnectionPlace> _places = [];
    private readonly Dictionary<IPAddress, int> _addresses = [];
    private readonly int _perAddress = options.ConnectionsPerAddress > 0 ? options.ConnectionsPerAddress : Math.Max(1, limit / 2);
    private readonly CauseLimiter _full = new(time);
    private int _late;

    /// <summary>Connections that are open.</summary>
    public int Count
    {
        get
        {
            lock (_lock)
            {
                return _places.Count;
            }
        }
    }

    /// <summary>The most connections for a limit of descriptors: all but the reserve, or half of them where there are few.</summary>
    public static int LimitFor(double descriptors) => (int)Math.Clamp(Math.Max(descriptors - Reserve, descriptors / 2), 1, int.MaxValue);

    /// <summary>Serves a connection in a place of its own; closes it at once where no place can be had.</summary>
    public async Task RunAsync(ConnectionContext connection, ConnectionDelegate serve)
    {
        var place = new ConnectionPlace(connection, time);
        if (holds.Refuse(place.Address, place.Port) is { Ticks: > 0 } hold)
        {
            await RefuseAsync(connection, hold).ConfigureAwait(false);
            return;
        }

        if (!TryEnter(place))
        {
            connection.Abort(new ConnectionAbortedException("every connection is in use"));
            return;
        }

        connection.Features.Set(place);
        FloodWatch.Mark(connection, place.Address, place.Port);
        using var age = StartAge(connection);

        // The web server may not finish a connection that a peer left amid writes that wait for its window: nothing here may hold that then.
        connection.ConnectionClosed.UnsafeRegister(
            static state =>
            {
                var (gate, place, age) = ((ConnectionGate, ConnectionPlace, ITimer?))state!;
                gate.Leave(place);
                age?.Dispose();
            },
            (this, place, age));
        try
        {
            await serve(connection).ConfigureAwait(false);
        }
        finally
        {
            Leave(place);
        }
    }

    /// <summary>Reads nothing of a connection, and closes it when the hold ends: closed at once, its peer would open the next one at once. Where many wait it is closed at once.</summary>
    private async Task RefuseAsync(ConnectionContext connection, TimeSpan hold)
    {
        if (Interlocked.Increment(ref _late) <= MostLate)
        {
            var stop = connection.Features.Get<IConnectionLifetimeNotificationFeature>()?.ConnectionClosedRequested ?? CancellationToken.None;
            using var left = CancellationTokenSource.CreateLinkedTokenSource(connection.ConnectionClosed, stop);
            await Task.Delay(hold < Latest ? hold : Latest, time, left.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        Interlocked.Decrement(ref _late);
        connection.Abort(new ConnectionAbortedException("its address is held back for floods"));
    }

    private bool TryEnter(ConnectionPlace place)
    {
        ConnectionPlace? idle = null;
        bool hasPlace;
        lock (_lock)
        {
            var isAddressFull = CountOf(place.Address) >= _perAddress;
            if (isAddressFull || _places.Count >= limit)
            {
                // A scan, when all places are taken: so requests keep no order and take no lock.
                idle = _places.Where(candidate => candidate.IsIdle && (!isAddressFull || candidate.Address.Equals(place.Address))).MinBy(static candidate => candidate.LastUsed);
                if (idle is not null)
                {
                    Remove(idle);
                }
            }

            hasPlace = _places.Count < limit && CountOf(place.Address) < _perAddress;
            if (hasPlace)
            {
                _places.Add(place);
                _addresses[place.Address] = CountOf(place.Address) + 1;
            }
        }

        idle?.Connection.Abort(new ConnectionAbortedException("idle for longer than others that want its place"));
        if ((idle is not null || !hasPlace) && _full.TryPass("full", out var heldBack))
        {
            Log.ConnectionsFull(logger, limit, _perAddress, heldBack);
        }

        return hasPlace;
    }

    private void Leave(ConnectionPlace place)
    {
        lock (_lock)
        {
            Remove(place);
        }
    }

    private int CountOf(IPAddress address) => _addresses.GetValueOrDefault(address);

    private void Remove(ConnectionPlace place)
    {
        if (!_places.Remove(place))
        {
            return;
        }

        var left = CountOf(place.Address) - 1;
        if (left > 0)
        {
            _addresses[place.Address] = left;
        }
        else
        {
            _addresses.Remove(place.Address);
        }
    }

    /// <summary>Tells the client in time to open another connection: HTTP/2 by GOAWAY, HTTP/1.1 by <c>Connection: close</c>.</summary>
    private ITimer? StartAge(ConnectionContext connection)
    {
        if (options.ConnectionAge == TimeSpan.Zero || connection.Features.Get<IConnectionLifetimeNotificationFeature>() is not { } lifetime)
        {
            return null;
        }

        double share;
        lock (_lock)
        {
            share = 1 + (Jitter * ((2 * random.NextDouble()) - 1));
        }

        return time.CreateTimer(static lifetime => ((IConnectionLifetimeNotificationFeature)lifetime!).RequestClose(), lifetime, options.ConnectionAge * share, Timeout.InfiniteTimeSpan);
    }
}

/// <summary>A connection's place; among the features of the connection and of its requests.</summary>
internal sealed class ConnectionPlace(ConnectionContext connection, TimeProvider time)
{
    private int _requests;
    private long _lastUsed = time.GetTimestamp();

    public ConnectionContext Connection => connection;

    /// <summary>The client's; <c>IPAddress.None</c> for a connection that has none.</summary>
    public IPAddress Address { get; } = (connection.RemoteEndPoint as IPEndPoint)?.Address ?? IPAddress.None;

    /// <summary>Of the gateway; 0 for a connection that has none.</summary>
    public int Port { get; } = (connection.LocalEndPoint as IPEndPoint)?.Port ?? 0;

    /// <summary>Timestamp of the end of the last request, or of the beginning of the connection.</summary>
    public long LastUsed => Volatile.Read(ref _lastUsed);

    /// <summary>Whether no request is under way.</summary>
    public bool IsIdle => Volatile.Read(ref _requests) == 0;

    public void Begin() => Interlocked.Increment(ref _requests);

    public void End()
    {
        Volatile.Write(ref _lastUsed, time.GetTimestamp());
        Interlocked.Decrement(ref _requests);
    }

    /// <summary>Serves a request, during which the connection keeps its place.</summary>
    public async Task KeepAsync(RequestDelegate serve, HttpContext http)
    {
        Begin();
        try
        {
            await serve(http).ConfigureAwait(false);
        }
        finally
        {
            End();
        }
    }
}

/// <summary>Event ids 3240 to 3249.</summary>
internal static partial class Log
{
    [LoggerMessage(3240, LogLevel.Warning, "Closed idle connections, or refused new ones, because {Limit} were open, or {PerAddress} of one address; did so {HeldBack} times since the last line. --max-connections, the limit of file descriptors and Limits:ConnectionsPerAddress set these limits")]
    public static partial void ConnectionsFull(ILogger logger, int limit, int perAddress, long heldBack);

    [LoggerMessage(3241, LogLevel.Warning, "Held {Address} back: for {Seconds} s it gets no new connection to port {Port}, as the server closed connections of it for floods, the last one with {Reason}; did so {HeldBack} times since the last line. Limits:FloodsBeforeHold, LongestHold and NeverHeld set this")]
    public static partial void AddressHeld(ILogger logger, IPAddress address, int port, double seconds, string reason, long heldBack);
}
