namespace Cluster.Grains.Placement;

/// <summary>The directors' source of randomness. Safe from any thread.</summary>
internal sealed class PlacementRandom(Random random)
{
    private readonly Lock _lock = new();

    /// <summary>One of at least one, each as likely as the others.</summary>
    public T OneOf<T>(IReadOnlyList<T> items) => Use(source => items[source.Next(items.Count)]);

    public T Use<T>(Func<Random, T> use)
    {
        lock (_lock)
        {
            return use(random);
        }
    }
}
