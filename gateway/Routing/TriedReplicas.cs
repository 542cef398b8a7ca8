namespace Cluster.Gateway.Routing;

/// <summary>The replicas that a request was sent to; room for as many as there can be before its last try.</summary>
internal struct TriedReplicas
{
    private ReplicaRoute? _first;
    private ReplicaRoute? _second;

    /// <summary>Adds a replica; one that does not fit takes the place of the latest.</summary>
    public void Add(ReplicaRoute replica)
    {
        if (_first is null)
        {
            _first = replica;
        }
        else
        {
            _second = replica;
        }
    }

    public readonly bool Contains(ReplicaRoute replica) => _first == replica || _second == replica;
}
