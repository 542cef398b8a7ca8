namespace Cluster.Grains.Repository;

/// <summary>Where models come from.</summary>
public interface IModelRepository
{
    /// <summary>Asks for what the repository holds where that is far away, which scans then tell; does nothing for folders. What fails is told by the next scan.</summary>
    /// <param name="model">The only model of interest; null for all.</param>
    Task RefreshAsync(string? model, CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>
    /// What the repository holds now. Cheap when nothing changed: then the snapshot is the one returned last, the same instance.
    /// A model that did not change is the same instance in both snapshots. Safe to call from several threads; calls run one by one.
    /// </summary>
    /// <exception cref="RepositoryConfigurationException">
    /// Only from the first call: the repository or its configuration cannot be used. Later trouble is in
    /// <see cref="RepositorySnapshot.Problems"/>, and what was good before stays.
    /// </exception>
    RepositorySnapshot Scan();

    /// <summary>As <see cref="Scan()"/>, but looks only at one model's folder; of the others it tells what was found last.</summary>
    RepositorySnapshot Scan(string model);
}
