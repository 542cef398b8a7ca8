using Cluster.Contracts.Logging;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;

namespace Cluster.Gateway.Hosting;

/// <summary>
/// Keeps the connections of clients below the process' limit of file descriptors, so that files, models and other processes can still be reached. Where all places are taken, the
/// connection that has been idle for the longest makes way: so idle connections, however many, keep no request and no health check out. Thread-safe.
/// </summary>
/// <param name="limit">The most connections, at least 1.</param>
public sealed class ConnectionGate(int limit, TimeProvider time, ILogger<ConnectionGate> logger)
{
    /// <summary>Descriptors that are left to files, models, other processes and Redis.</summary>
    private const int Reserve = 384;

    private readonly Lock _lock = new();
    private readonly HashSet<ConnectionPlace> _places = [];
    private readonly CauseLimiter _full = new(time);

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
        if (!TryEnter(place))
        {
            connection.Abort(new ConnectionAbortedException("every connection is in use"));
            return;
        }

        connection.Features.Set(place);
        try
        {
            await serve(connection).ConfigureAwait(false);
        }
        finally
        {
            Leave(place);
        }
    }

    private bool TryEnter(ConnectionPlace place)
    {
        ConnectionPlace? idle = null;
        bool hasPlace;
        lock (_lock)
        {
            if (_places.Count >= limit)
            {
                // A scan, when all places are taken: so requests keep no order and take no lock.
                idle = _places.Where(static candidate => candidate.IsIdle).MinBy(static candidate => candidate.LastUsed);
                if (idle is not null)
                {
                    _places.Remove(idle);
                }
            }

            hasPlace = _places.Count < limit;
            if (hasPlace)
            {
                _places.Add(place);
            }
        }

        idle?.Connection.Abort(new ConnectionAbortedException("idle for longer than others that want its place"));
        if ((idle is not null || !hasPlace) && _full.TryPass("full", out var heldBack))
        {
            Log.ConnectionsFull(logger, limit, heldBack);
        }

        return hasPlace;
    }

    private void Leave(ConnectionPlace place)
    {
        lock (_lock)
        {
            _places.Remove(place);
        }
    }
}

/// <summary>A connection's place; among the features of the connection and of its requests.</summary>
internal sealed class ConnectionPlace(ConnectionContext connection, TimeProvider time)
{
    private int _requests;
    private long _lastUsed = time.GetTimestamp();

    public ConnectionContext Connection => connection;

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

    /// <summary>A connection with streams, whose beginnings and ends are not followed one by one, does not make way once it has had a request.</summary>
    public void Keep() => Volatile.Write(ref _requests, int.MaxValue / 2);
}

/// <summary>Event ids 3240 to 3249.</summary>
internal static partial class Log
{
    [LoggerMessage(3240, LogLevel.Warning, "Closed idle connections, or refused new ones, because {Limit} were open, and {HeldBack} times so since the last line; --max-connections and the limit of file descriptors set how many there may be")]
    public static partial void ConnectionsFull(ILogger logger, int limit, long heldBack);
}
