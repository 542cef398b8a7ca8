using System.Collections.Concurrent;

namespace Cluster.Gateway.Security.Policy;

/// <summary>The rules in force, and each client's use of its quotas. Rules are replaced whole, and requests in flight stay counted.</summary>
internal sealed class AccessControl(TimeProvider time)
{
    private readonly ConcurrentDictionary<string, ClientUsage> _usages = new(StringComparer.Ordinal);
    private volatile AccessPolicy _policy = AccessPolicy.Empty;

    /// <summary>Only clients that a file has named have an entry.</summary>
    public AccessPolicy Policy
    {
        get => _policy;
        set => _policy = value;
    }

    public Caller CallerOf(ClientRights client) => new(client.Name, this, _usages.GetOrAdd(client.Name, static (name, time) => new ClientUsage(name, time), time));
}
