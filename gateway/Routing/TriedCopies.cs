namespace Cluster.Gateway.Routing;

/// <summary>Numbers of the copies that a request was sent to; room for as many as there can be before its last try.</summary>
internal struct TriedCopies
{
    private int _first;
    private int _second;

    /// <summary>Adds a copy; one that does not fit takes the place of the latest.</summary>
    public void Add(int copy)
    {
        // Numbers are kept one up, so that the default is empty.
        if (_first == 0)
        {
            _first = copy + 1;
        }
        else
        {
            _second = copy + 1;
        }
    }

    public readonly bool Contains(int copy) => _first == copy + 1 || _second == copy + 1;
}
