using System.Net;
using Cluster.Contracts.Errors;
using Cluster.Gateway.Console;
using Cluster.Gateway.Security;

namespace Cluster.Gateway.Rest;

/// <summary>How many streams of events are open. Each keeps a connection for minutes, which requests need too. Thread-safe.</summary>
internal sealed class EventStreams(ConsoleOptions options)
{
    /// <summary>A place is free only once another client leaves, because clients that stay open their streams again.</summary>
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(30);

    private readonly Lock _lock = new();
    private readonly Dictionary<string, int> _clients = new(StringComparer.Ordinal);
    private int _open;

    /// <summary>Counts a stream until the returned object is disposed.</summary>
    /// <param name="address">Stands for the client where no identity is asked for.</param>
    /// <exception cref="ServingException">RESOURCE_EXHAUSTED: there are as many as there may be.</exception>
    public IDisposable Enter(Caller caller, IPAddress? address)
    {
        var client = caller.Name.Length > 0 ? $"client '{caller.Name}'" : $"address {address ?? IPAddress.None}";
        lock (_lock)
        {
            var open = _clients.GetValueOrDefault(client);
            if (_open >= options.Streams)
            {
                throw Refusal($"this gateway has {_open} streams of events, as many as it takes (Console:Streams)");
            }

            if (open >= options.StreamsPerClient)
            {
                throw Refusal($"{client} has {open} streams of events, as many as one may have (Console:StreamsPerClient)");
            }

            _open++;
            _clients[client] = open + 1;
        }

        return new OpenStream(this, client);
    }

    private static ServingException Refusal(string message) => new(Failure.Exhausted(message, RetryAfter));

    private void Leave(string client)
    {
        lock (_lock)
        {
            _open--;
            if (--_clients[client] == 0)
            {
                _clients.Remove(client);
            }
        }
    }

    private sealed class OpenStream(EventStreams streams, string client) : IDisposable
    {
        public void Dispose() => streams.Leave(client);
    }
}
