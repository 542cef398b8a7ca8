namespace Cluster.Silo.Clustering;

/// <summary>Whether the cluster still counts this process as a member.</summary>
internal sealed class ClusterStanding
{
    private volatile string? _removal;

    /// <summary>Why the cluster has declared this process dead; null while it has not.</summary>
    public string? Removal => _removal;

    public void Remove(string reason) => _removal ??= reason;
}
