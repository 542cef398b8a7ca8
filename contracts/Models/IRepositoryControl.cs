namespace Cluster.Contracts.Models;

/// <summary>The model repository, as far as a gateway may steer it.</summary>
public interface IRepositoryControl
{
    /// <summary>
    /// Reads the repository now and returns when every change is carried out. What failed to load before is tried again.
    /// </summary>
    /// <returns>Problems of the repository as a whole, such as a configuration file that cannot be read; empty if none.</returns>
    Task<IReadOnlyList<string>> ReloadAsync(CancellationToken cancellationToken);
}
