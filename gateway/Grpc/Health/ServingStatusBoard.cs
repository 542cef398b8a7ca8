using System.Collections.Concurrent;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Primitives;

namespace Cluster.Gateway.Grpc.Health;

/// <summary>Statuses that others set. Thread-safe.</summary>
public sealed class ServingStatusBoard : IServingStatus
{
    private readonly ConcurrentDictionary<string, bool> _services = new(StringComparer.Ordinal);
    private ConfigurationReloadToken _change = new();

    public bool? IsServing(string service) => _services.TryGetValue(service, out var serving) ? serving : null;

    public IChangeToken GetChangeToken() => Volatile.Read(ref _change);

    /// <summary>Sets a service's status and tells the watchers, even if it is the same as before.</summary>
    public void Set(string service, bool serving)
    {
        _services[service] = serving;
        Interlocked.Exchange(ref _change, new ConfigurationReloadToken()).OnReload();
    }
}
